/** The terms that LoRA adds to products in training, and their gradients. */
import type { BufferRange, Dispatch } from '../../gpu/index.js'
import {
  compileDropout,
  compileLinearWeightGradient,
  compileLowRank,
  prefixDropoutWords,
} from '../../kernels/index.js'
import {
  activationWidths,
  FEED_FORWARD_HALF,
  type LinearOperation,
  type ModelBase,
  type ProductRole,
} from '../../runtime/model/index.js'
import { randomAt } from '../random.js'
import type { Allocation } from './allocation.js'
import type { FactorSpec } from './lora-parameters.js'
import type { Parameter } from './parameters.js'
import { chunkCounts, countRange } from './row-counts.js'
import type { LoraTrainingOptions } from './training-engine.js'
import type { TrainingShape } from './training-shape.js'

/** What is added to a product, y += s B (A x~) with x~ = dropout(x), in three parts of a pass. */
export interface ProductTerm {
  /** Adds it to y. @param chunk of rows, where they go through in chunks */
  forward(x: BufferRange, y: BufferRange, chunk?: number): Dispatch[]
  /** Adds to the gradients of A and B, from the product's input and the gradient of its output. */
  gradients(x: BufferRange, dy: BufferRange, chunk?: number): Dispatch[]
  /** Adds to the gradient of the product's input; behind `gradients`. */
  backward(dx: BufferRange, chunk?: number): Dispatch[]
}

/** The terms of a layer. */
export type LayerTerms = Partial<Readonly<Record<ProductRole, ProductTerm>>>

/** What the kernels of terms read and write beside activations. */
export type TermBuffers = Readonly<
  Record<'counts' | 'scale' | 'dropped' | 'inner' | 'innerGradient' | 'dropout', GPUBuffer>
>

const FLOAT = 4
/** Ranges of buffers begin at multiples of this many bytes. */
const ALIGNMENT = 256

type TermOptions = Pick<LoraTrainingOptions, 'rank' | 'scale' | 'roles' | 'dropout'>
type Kernels = Awaited<ReturnType<typeof compileTerms>>

function isInChunks(operation: LinearOperation): boolean {
  return FEED_FORWARD_HALF.includes(operation)
}

/** Compiles the kernels of terms: layers share them. */
export async function compileTerms(
  { gpu, config }: ModelBase,
  operations: readonly LinearOperation[],
  { rank, scale, dropout }: TermOptions,
) {
  const widths = activationWidths(config)
  const entries = operations.map(async ({ weight, x, y }) => {
    const [inFeatures, outFeatures] = [widths[x], widths[y]]
    const [drop, down, up, downGradient, upGradient, ofA, ofB] = await Promise.all([
      dropout > 0 ? compileDropout(gpu, { width: inFeatures }) : undefined,
      compileLowRank(gpu, { rank, width: inFeatures }, { kind: 'down', scale }),
      compileLowRank(gpu, { rank, width: outFeatures }, { kind: 'up', masked: false }),
      compileLowRank(gpu, { rank, width: outFeatures }, { kind: 'down', scale }),
      compileLowRank(gpu, { rank, width: inFeatures }, { kind: 'up', masked: dropout > 0 }),
      compileLinearWeightGradient(gpu, { inFeatures, outFeatures: rank }),
      compileLinearWeightGradient(gpu, { inFeatures: outFeatures, outFeatures: rank }),
    ])
    return [weight, { drop, down, up, downGradient, upGradient, ofA, ofB }] as const
  })
  return new Map(await Promise.all(entries))
}

/** Lines of the settings of dropout: each product of each layer, and each chunk of rows, drops other elements. */
function dropoutLines({ config }: ModelBase, shape: TrainingShape, operations: readonly LinearOperation[]) {
  return config.layers * operations.length * chunkCounts(shape).rows
}

function bufferSizes(
  base: ModelBase,
  shape: TrainingShape,
  operations: readonly LinearOperation[],
  { rank, dropout }: TermOptions,
) {
  const widths = activationWidths(base.config)
  const dropped = operations.map((operation) => {
    return (isInChunks(operation) ? shape.chunkRows : shape.maxRows) * widths[operation.x]
  })
  return {
    counts: countRange(shape).bytes,
    scale: FLOAT,
    dropped: dropout > 0 ? Math.max(...dropped) * FLOAT : FLOAT,
    inner: shape.maxRows * rank * FLOAT,
    innerGradient: shape.maxRows * rank * FLOAT,
    dropout: dropout > 0 ? dropoutLines(base, shape, operations) * ALIGNMENT : ALIGNMENT,
  }
}

/** Bytes on the GPU of `TermBuffers`. */
export function termBytes(...parts: Parameters<typeof bufferSizes>): number {
  return Object.values(bufferSizes(...parts)).reduce((sum, bytes) => sum + bytes, 0)
}

export function allocateTermBuffers(
  allocation: Allocation,
  ...parts: Parameters<typeof bufferSizes>
): TermBuffers {
  const buffers = Object.entries(bufferSizes(...parts)).map(([name, bytes]) => [
    name,
    allocation.allocate('activations', `adapter ${name}`, bytes),
  ])
  return Object.fromEntries(buffers) as TermBuffers
}

/** The settings of dropout of all lines, for one pass. @param seed undefined: nothing is dropped */
export function dropoutWords(
  base: ModelBase,
  shape: TrainingShape,
  operations: readonly LinearOperation[],
  probability: number,
  seed: number | undefined,
): Uint32Array<ArrayBuffer> {
  const lines = dropoutLines(base, shape, operations)
  const words = new Uint32Array((lines * ALIGNMENT) / 4)
  for (let line = 0; line < lines; line++) {
    const own = seed === undefined ? 0 : randomAt(seed, line, 0)
    words.set(prefixDropoutWords(seed === undefined ? 0 : probability, own, 1), (line * ALIGNMENT) / 4)
  }
  return words
}

/** Binds the terms of all layers to their factors. */
export function bindTerms(
  base: ModelBase,
  shape: TrainingShape,
  operations: readonly LinearOperation[],
  kernels: Kernels,
  parameters: readonly (Parameter & FactorSpec)[],
  buffers: TermBuffers,
): readonly LayerTerms[] {
  const { rows: chunks } = chunkCounts(shape)
  const counts = countRange(shape)
  const { scale, dropped, inner, innerGradient } = buffers
  const term = (layer: number, operation: LinearOperation, index: number): ProductTerm => {
    const factor = (part: 'A' | 'B') =>
      parameters.find((one) => one.layer === layer && one.operation === operation && one.part === part)!
    const [a, b] = [factor('A'), factor('B')]
    const label = base.weights.layers[layer][operation.weight].name
    const kernel = kernels.get(operation.weight)!
    const line = (chunk: number): BufferRange => ({
      buffer: buffers.dropout,
      offset: ((layer * operations.length + index) * chunks + chunk) * ALIGNMENT,
      size: 16,
    })
    /** What goes into A: x itself where nothing is dropped. */
    const input = (x: BufferRange, chunk = 0) =>
      kernel.drop
        ? {
            x: dropped,
            drop: kernel.drop.bind(`${label}, dropout`, { parameters: line(chunk), x, y: dropped }),
          }
        : { x, drop: [] }
    return {
      forward: (given, y, chunk) => {
        const { x, drop } = input(given, chunk)
        return [
          ...drop,
          ...kernel.down.bind(`${label}, A`, { x, w: a.value, y: inner }),
          ...kernel.up.bind(`${label}, B`, { x: inner, w: b.value, y }),
        ]
      },
      gradients: (given, dy, chunk) => {
        const { x, drop } = input(given, chunk)
        const rows = counts.of(buffers.counts, chunk)
        return [
          ...drop,
          ...kernel.down.bind(`${label}, A`, { x, w: a.value, y: inner }),
          ...kernel.ofB.bind(`${label}, gradient of B`, { dy: inner, x: dy, rows, scale, dw: b.gradient }),
          ...kernel.downGradient.bind(`${label}, gradient`, { x: dy, w: b.value, y: innerGradient }),
          ...kernel.ofA.bind(`${label}, gradient of A`, {
            dy: innerGradient,
            x,
            rows,
            scale,
            dw: a.gradient,
          }),
        ]
      },
      backward: (dx, chunk) =>
        kernel.upGradient.bind(`${label}, gradient of the input`, {
          x: innerGradient,
          w: a.value,
          y: dx,
          ...(kernel.drop && { parameters: line(chunk ?? 0) }),
        }),
    }
  }
  return base.weights.layers.map((_, layer) =>
    Object.fromEntries(
      operations.map((operation, index) => [operation.weight, term(layer, operation, index)]),
    ),
  )
}
