import {
  compileCacheAppend,
  compileEmbedding,
  compileRmsNorm,
  compileRope,
  compileSwiglu,
  PAGE_ROWS,
  rmsNormReference,
  ropeReference,
  ropeTable,
  swigluReference,
  type WeightFormat,
} from '../common/internals.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { orderedPages } from './pages.js'
import { relativeError, samples, type Workshop } from './workshop.js'

const TOLERANCE = 1e-4
const ROPE_BASE = 10_000
const EPSILON = 1e-5

type Prepare = KernelCase['prepare']

function elementwise(
  kernel: string,
  rows: number,
  width: number,
  bytes: number,
  operationsPerElement: number,
  prepare: Prepare,
  variant = '',
): KernelCase {
  return {
    kernel,
    variant,
    shape: `${rows} x ${width}`,
    bytes,
    operations: rows * width * operationsPerElement,
    unit: 'f32',
    tolerance: TOLERANCE,
    prepare,
  }
}

function rmsNorm({ hidden }: CaseShapes, rows: number): KernelCase {
  return elementwise('rms-norm', rows, hidden, rows * hidden * 8 + hidden * 2, 4, async (workshop) => {
    const kernel = await compileRmsNorm(workshop.gpu, { width: hidden, epsilon: EPSILON })
    const x = workshop.floats('x', rows * hidden)
    const weight = workshop.halves('weight', hidden, 0.1, 1)
    const y = workshop.filled('y', rows * hidden * 4, { kind: 'poison' })
    return {
      sets: [kernel.bind('rms-norm', { x, weight, y })],
      rows,
      error: async () => {
        const [input, weights, output] = [
          await workshop.readFloats(x, 0, rows * hidden),
          await workshop.readHalves(weight, 0, hidden),
          await workshop.readFloats(y, 0, rows * hidden),
        ]
        return relativeError(output, rmsNormReference(input, weights, EPSILON))
      },
    }
  })
}

function swiglu({ ffn }: CaseShapes, rows: number): KernelCase {
  return elementwise('swiglu', rows, ffn, rows * ffn * 12, 5, async (workshop) => {
    const kernel = await compileSwiglu(workshop.gpu, { width: ffn })
    const x = workshop.floats('x', rows * 2 * ffn)
    const y = workshop.filled('y', rows * ffn * 4, { kind: 'poison' })
    return {
      sets: [kernel.bind('swiglu', { x, y })],
      rows,
      error: async () => {
        const input = await workshop.readFloats(x, 0, rows * 2 * ffn)
        return relativeError(await workshop.readFloats(y, 0, rows * ffn), swigluReference(input, ffn))
      },
    }
  })
}

/** Rows of one sequence that ends at `end`. */
function sequenceRows(
  workshop: Workshop,
  rows: number,
  end: number,
): { buffer: GPUBuffer; positions: number[] } {
  const positions = Array.from({ length: rows }, (_, row) => end - rows + row)
  const words = positions.flatMap((position, row) => [row, 0, position, 0])
  return { buffer: workshop.uploaded('rows', new Uint32Array(words)), positions }
}

function rope(shapes: CaseShapes, rows: number): KernelCase {
  const { heads, kvGroups, headDim } = shapes
  const stride = (heads + 2 * kvGroups) * headDim
  // Half of each query and key head is read and written.
  const rotated = ((heads + kvGroups) * headDim) / 2
  const end = Math.max(rows, ...shapes.contexts)
  return elementwise('rope', rows, rotated, rows * rotated * 8, 3, async (workshop) => {
    const kernel = await compileRope(workshop.gpu, { ...shapes, back: false })
    const table = workshop.uploaded('table', ropeTable(end, headDim, ROPE_BASE))
    const { buffer, positions } = sequenceRows(workshop, rows, end)
    const qkv = workshop.floats('qkv', rows * stride)
    const before = await workshop.readFloats(qkv, 0, rows * stride)
    return {
      sets: [kernel.bind('rope', { rows: buffer, table, qkv })],
      rows,
      error: async () =>
        relativeError(
          await workshop.readFloats(qkv, 0, rows * stride),
          ropeReference(before, positions, shapes, ROPE_BASE),
        ),
    }
  })
}

function cacheAppend(shapes: CaseShapes, rows: number): KernelCase {
  const { heads, kvGroups, headDim } = shapes
  const stride = (heads + 2 * kvGroups) * headDim
  const width = kvGroups * headDim
  const capacity = Math.max(rows, ...shapes.contexts)
  return elementwise('cache-append', rows, 2 * width, rows * 2 * width * 6, 0, async (workshop) => {
    const { slotPages, table } = orderedPages(workshop, capacity)
    const append = await compileCacheAppend(workshop.gpu, { ...shapes, slotPages })
    const { buffer } = sequenceRows(workshop, rows, capacity)
    const qkv = workshop.floats('qkv', rows * stride)
    const keys = workshop.halves('keys', slotPages * PAGE_ROWS * width)
    const values = workshop.halves('values', slotPages * PAGE_ROWS * width)
    return {
      sets: [append.bind('cache-append', { rows: buffer, qkv, table, keys, values })],
      rows,
      error: async () => {
        const errors: number[] = []
        for (const row of samples(rows, 4)) {
          const at = row * stride + heads * headDim
          const cached = (capacity - rows + row) * width
          for (const [part, cache] of [keys, values].entries()) {
            const expected = await workshop.readFloats(qkv, at + part * width, width)
            errors.push(relativeError(await workshop.readHalves(cache, cached, width), expected))
          }
        }
        // Keys and values are rounded to f16 on their way.
        return Math.max(0, Math.max(...errors) - 2 ** -11)
      },
    }
  })
}

function embedding({ hidden, vocabulary, groupSize }: CaseShapes, rows: number): KernelCase {
  const format: WeightFormat = { type: 'q4', groupSize }
  const bytes = rows * hidden * (4 + 0.5 + 4 / groupSize)
  const prepare: Prepare = async (workshop) => {
    const kernel = await compileEmbedding(workshop.gpu, {
      format,
      width: hidden,
      tokens: vocabulary,
      firstToken: 0,
    })
    const weight = workshop.weight(format, vocabulary, hidden)
    const tokens = samples(vocabulary, rows)
    const words = Array.from({ length: rows }, (_, row) => [tokens[row % tokens.length], 0, row, 0])
    const buffer = workshop.uploaded('rows', new Uint32Array(words.flat()))
    const y = workshop.filled('y', rows * hidden * 4, { kind: 'poison' })
    return {
      sets: [kernel.bind('embedding', { ...weight, rows: buffer, y })],
      rows,
      error: async () => {
        const errors: number[] = []
        for (const row of samples(rows, 4)) {
          const expected = await workshop.readWeightRow(weight, format, tokens[row % tokens.length], hidden)
          errors.push(relativeError(await workshop.readFloats(y, row * hidden, hidden), expected))
        }
        return Math.max(...errors)
      },
    }
  }
  return elementwise('embedding', rows, hidden, bytes, 2, prepare, `q4 g${groupSize}`)
}

/** The kernels between the matrix products: one row as in decoding, and a chunk of a prompt. */
export const elementwiseKernels: KernelFamily = (_gpu, shapes) =>
  [embedding, rmsNorm, rope, cacheAppend, swiglu].flatMap((make) =>
    [1, Math.max(...shapes.chunks)].map((rows) => make(shapes, rows)),
  )
