import type { ComputeUnit } from '../ceilings/units.js'
import {
  type AttentionBuffers,
  type AttentionConstants,
  attentionReference,
  attentionSplits,
  canRunAttentionDecodeOnMatrices,
  canRunAttentionPrefillOnMatrices,
  compileAttention,
  compileAttentionCombine,
  compileAttentionDecode,
  compileAttentionPrefill,
  type Dispatch,
  type Gpu,
  PAGE_ROWS,
} from '../common/internals.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { orderedPages } from './pages.js'
import { poisonedActivations, readActivations } from './quantized-activations.js'
import { relativeError, samples, type Workshop } from './workshop.js'

/** Attention to the cache, of one row or of a chunk of one sequence, with the buffers it needs in between. */
export interface AttentionKernel {
  readonly kernel: string
  readonly unit: ComputeUnit
  readonly tolerance: number
  compile(workshop: Workshop, constants: AttentionConstants): Promise<BindAttention>
}

interface BindAttention {
  bind(buffers: AttentionBuffers): readonly Dispatch[]
  /** What a call put out for a row, where that is not `y`. */
  readonly output?: () => Promise<ArrayLike<number>>
}

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
  output: BindAttention['output'],
): Promise<number> {
  const { heads, kvGroups, headDim } = shapes
  const width = kvGroups * headDim
  const keyRows = await workshop.readHalves(keys, 0, context * width)
  const valueRows = await workshop.readHalves(values, 0, context * width)
  const errors: number[] = []
  for (const row of samples(rows, SAMPLED_ROWS)) {
    const query = await workshop.readFloats(qkv, row * (heads * headDim + 2 * width), heads * headDim)
    const actual = output
      ? await output()
      : await workshop.readFloats(y, row * heads * headDim, heads * headDim)
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
    unit: kernel.unit,
    tolerance: kernel.tolerance,
    async prepare(workshop) {
      const { slotPages, table } = orderedPages(workshop, context)
      const { bind, output } = await kernel.compile(workshop, {
        heads,
        kvGroups,
        headDim,
        slotPages,
        queries: 1,
        maxRows: rows,
      })
      const positions = Array.from({ length: rows }, (_, row) => [0, 0, context - rows + row, 0])
      const rowsBuffer = workshop.uploaded('rows', new Uint32Array(positions.flat()))
      const y = workshop.filled('y', rows * heads * headDim * 4, { kind: 'poison' })
      const layers = Array.from({ length: workshop.sets(cacheBytes) }, () => ({
        qkv: workshop.floats('qkv', rows * (heads + 2 * kvGroups) * headDim),
        keys: workshop.halves('keys', slotPages * PAGE_ROWS * width),
        values: workshop.halves('values', slotPages * PAGE_ROWS * width),
        y,
      }))
      return {
        sets: layers.map((layer) => bind({ ...layer, rows: rowsBuffer, table })),
        rows,
        error: () => checkAttention(workshop, shapes, rows, context, layers[0], output),
      }
    },
  }
}

const ATTENTION: AttentionKernel = {
  kernel: 'attention',
  unit: 'f32',
  tolerance: 1e-4,
  async compile({ gpu }, constants) {
    const attention = await compileAttention(gpu, constants)
    return { bind: (buffers) => attention.bind('attention', buffers) }
  },
}

/** Splits of the cache, and their combination in 8 bits: a call is both dispatches. */
const ATTENTION_DECODE: AttentionKernel = {
  kernel: 'attention-decode',
  unit: 'f32',
  tolerance: 1e-2,
  async compile(workshop, { heads, kvGroups, headDim, slotPages }) {
    const elements = heads * headDim
    const parts = {
      parts: workshop.filled('parts', attentionSplits(1) * elements * 4, { kind: 'poison' }),
      statistics: workshop.filled('statistics', attentionSplits(1) * heads * 8, { kind: 'poison' }),
    }
    const output = poisonedActivations(workshop, elements)
    const shape = { heads, kvGroups, headDim }
    const onMatrices = canRunAttentionDecodeOnMatrices(workshop.gpu, shape)
    const [attend, combine] = await Promise.all([
      compileAttentionDecode(
        workshop.gpu,
        { ...shape, slotPages, splits: attentionSplits(1) },
        { onMatrices },
      ),
      compileAttentionCombine(workshop.gpu, { ...shape, splits: attentionSplits(1) }, { output: 'blocks' }),
    ])
    return {
      bind: ({ y: _, ...buffers }) => [
        ...attend.bind('attention', { ...buffers, ...parts }),
        ...combine.bind('combine', { rows: buffers.rows, ...parts, output }),
      ],
      output: () => readActivations(workshop, output, 0, elements),
    }
  },
}

function attentionPrefill(gpu: Gpu, shapes: CaseShapes): AttentionKernel {
  const onMatrices = canRunAttentionPrefillOnMatrices(gpu, shapes)
  return {
    kernel: 'attention-prefill',
    unit: onMatrices ? 'matrix' : 'f32',
    tolerance: onMatrices ? 5e-3 : 1e-4,
    async compile(workshop, constants) {
      const attention = await compileAttentionPrefill(workshop.gpu, constants, { onMatrices })
      return { bind: (buffers) => attention.bind('attention', buffers) }
    },
  }
}

/** Attention of one new token. */
export const decodeAttention: KernelFamily = (_gpu, shapes) =>
  [ATTENTION_DECODE, ATTENTION].flatMap((kernel) =>
    shapes.contexts.map((context) => attentionCase(kernel, shapes, 1, context)),
  )

/** Attention of a chunk of a prompt to itself and what came before it. */
export const prefillAttention: KernelFamily = (gpu, shapes) => {
  const rows = Math.max(...shapes.chunks)
  const contexts = [rows, ...shapes.contexts.filter((context) => context > rows)]
  return contexts.map((context) => attentionCase(attentionPrefill(gpu, shapes), shapes, rows, context))
}
