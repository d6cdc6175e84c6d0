import {
  type AttentionBuffers,
  type AttentionConstants,
  attentionReference,
  compileAttention,
  type Dispatch,
  type Gpu,
} from '../common/internals.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { relativeError, samples, type Workshop } from './workshop.js'

/** What compiles attention over the cache. */
export type CompileAttention = (
  gpu: Gpu,
  constants: AttentionConstants,
) => Promise<(label: string, buffers: AttentionBuffers) => Dispatch>

/** A kernel for attention, of one row with a cache of its own, or of a chunk of one sequence. */
export interface AttentionKernel {
  readonly kernel: string
  readonly compile: CompileAttention
  readonly tolerance: number
}

/** Rows of a prompt that share a workgroup, as the runtime compiles it. */
const PREFILL_QUERIES = 8
const SAMPLED_ROWS = 2

/** The queries, keys and values of a layer, and the row that attention writes. */
interface Layer {
  readonly qkv: GPUBuffer
  readonly keys: GPUBuffer
  readonly values: GPUBuffer
  readonly y: GPUBuffer
}

async function checkAttention(
  workshop: Workshop,
  shapes: CaseShapes,
  rows: number,
  context: number,
  { qkv, keys, values, y }: Layer,
): Promise<number> {
  const { heads, kvGroups, headDim } = shapes
  const width = kvGroups * headDim
  const keyRows = await workshop.readHalves(keys, 0, context * width)
  const valueRows = await workshop.readHalves(values, 0, context * width)
  const errors: number[] = []
  for (const row of samples(rows, SAMPLED_ROWS)) {
    const query = await workshop.readFloats(qkv, row * (heads * headDim + 2 * width), heads * headDim)
    const actual = await workshop.readFloats(y, row * heads * headDim, heads * headDim)
    const end = context - rows + row + 1
    errors.push(relativeError(actual, attentionReference(query, keyRows, valueRows, shapes, end, 0, 0)))
  }
  return Math.max(...errors)
}

/** @param rows the last rows of a sequence of `context` tokens */
function attentionCase(
  kernel: AttentionKernel,
  shapes: CaseShapes,
  rows: number,
  context: number,
): KernelCase {
  const { heads, kvGroups, headDim } = shapes
  const width = kvGroups * headDim
  const cacheBytes = 2 * context * width * 2
  // Each row sees the positions up to its own.
  const pairs = rows * (context - rows) + (rows * (rows + 1)) / 2
  return {
    kernel: kernel.kernel,
    variant: rows === 1 ? 'decode' : `prefill, ${rows} rows`,
    shape: `context ${context}`,
    bytes: cacheBytes + rows * 2 * heads * headDim * 4,
    operations: 4 * heads * headDim * pairs,
    unit: 'f32',
    tolerance: kernel.tolerance,
    async prepare(workshop) {
      const queries = rows === 1 ? 1 : PREFILL_QUERIES
      const bind = await kernel.compile(workshop.gpu, {
        heads,
        kvGroups,
        headDim,
        capacity: context,
        queries,
        maxRows: rows,
      })
      const positions = Array.from({ length: rows }, (_, row) => [0, 0, context - rows + row, 0])
      const rowsBuffer = workshop.uploaded('rows', new Uint32Array(positions.flat()))
      const parameters = workshop.uploaded('parameters', new Float32Array([0]))
      const y = workshop.filled('y', rows * heads * headDim * 4, { kind: 'poison' })
      const layers = Array.from({ length: workshop.sets(cacheBytes) }, () => ({
        qkv: workshop.floats('qkv', rows * (heads + 2 * kvGroups) * headDim),
        keys: workshop.halves('keys', context * width),
        values: workshop.halves('values', context * width),
        y,
      }))
      return {
        sets: layers.map((layer) => [bind('attention', { ...layer, rows: rowsBuffer, parameters })]),
        rows,
        error: () => checkAttention(workshop, shapes, rows, context, layers[0]),
      }
    },
  }
}

const ATTENTION: AttentionKernel = { kernel: 'attention', compile: compileAttention, tolerance: 1e-4 }

/** Attention of one new token. */
export const decodeAttention: KernelFamily = (_gpu, shapes) =>
  [ATTENTION].flatMap((kernel) => shapes.contexts.map((context) => attentionCase(kernel, shapes, 1, context)))

/** Attention of a chunk of a prompt to itself and what came before it. */
export const prefillAttention: KernelFamily = (_gpu, shapes) => {
  const rows = Math.max(...shapes.chunks)
  const contexts = shapes.contexts.filter((context) => context > rows)
  return [ATTENTION].flatMap((kernel) =>
    [rows, ...contexts].map((context) => attentionCase(kernel, shapes, rows, context)),
  )
}
