import {
  attentionReference,
  canRunTrainingAttentionSubgroup,
  compileAttentionBackward,
  compileAttentionTraining,
  type Dispatch,
  encodeDispatches,
  type Gpu,
  type TrainingAttentionConstants,
} from '../common/internals.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { relativeError, samples, type Workshop } from './workshop.js'

/** Rows of the prefix in the official scripts (`pre_seq_len`). */
const PREFIX_LENGTH = 128
const SAMPLED_ROWS = 3
const SAMPLED_KEYS = 4
/** Of the gradient of attention's output. */
const DEVIATION = 1e-5

/** Everything that a layer's attention reads and writes in training, and the same on the host. */
interface Layer {
  readonly constants: TrainingAttentionConstants
  readonly rows: number
  readonly buffers: Record<
    'sequences' | 'qkv' | 'prefix' | 'y' | 'logSumExp' | 'dy' | 'dqkv' | 'dprefix',
    GPUBuffer
  >
}

function makeLayer(workshop: Workshop, { heads, kvGroups, headDim }: CaseShapes, rows: number): Layer {
  const prefixLength = Math.min(PREFIX_LENGTH, rows)
  const width = 2 * kvGroups * headDim
  const constants = { heads, kvGroups, headDim, prefixLength, prefixStride: width, maxRows: rows }
  return {
    constants,
    rows,
    buffers: {
      sequences: workshop.uploaded('sequences', new Uint32Array([rows])),
      qkv: workshop.floats('qkv', rows * (heads * headDim + width)),
      prefix: workshop.floats('prefix', prefixLength * width),
      y: workshop.filled('y', rows * heads * headDim * 4, { kind: 'poison' }),
      logSumExp: workshop.filled('logSumExp', rows * heads * 4, { kind: 'poison' }),
      dy: workshop.floats('dy', rows * heads * headDim, DEVIATION),
      dqkv: workshop.filled('dqkv', rows * (heads * headDim + width) * 4, { kind: 'poison' }),
      dprefix: workshop.uploaded('dprefix', new Float32Array(prefixLength * width)),
    },
  }
}

/** A layer's buffers on the host, with all keys and values one after the other. */
async function readLayer(workshop: Workshop, { constants, rows, buffers }: Layer) {
  const { heads, kvGroups, headDim, prefixLength } = constants
  const slab = kvGroups * headDim
  const width = heads * headDim
  const qkv = await workshop.readFloats(buffers.qkv, 0, rows * (width + 2 * slab))
  const prefix = await workshop.readFloats(buffers.prefix, 0, prefixLength * 2 * slab)
  const slabs = [0, 1].map((which) => {
    const all = new Float32Array((prefixLength + rows) * slab)
    for (let c = 0; c < prefixLength + rows; c++) {
      const row = c - prefixLength
      const start = row < 0 ? (2 * c + which) * slab : row * (width + 2 * slab) + width + which * slab
      all.set((row < 0 ? prefix : qkv).subarray(start, start + slab), c * slab)
    }
    return all
  })
  return {
    query: (row: number) => qkv.subarray(row * (width + 2 * slab), row * (width + 2 * slab) + width),
    keys: slabs[0],
    values: slabs[1],
    y: await workshop.readFloats(buffers.y, 0, rows * width),
    logSumExp: await workshop.readFloats(buffers.logSumExp, 0, rows * heads),
    dy: await workshop.readFloats(buffers.dy, 0, rows * width),
  }
}

async function checkForward(workshop: Workshop, layer: Layer): Promise<number> {
  const { constants, rows } = layer
  const { query, keys, values, y } = await readLayer(workshop, layer)
  const width = constants.heads * constants.headDim
  const errors = samples(rows, SAMPLED_ROWS).map((row) => {
    const end = constants.prefixLength + row + 1
    const expected = attentionReference(query(row), keys, values, constants, end, 0, 0)
    return relativeError(y.subarray(row * width, (row + 1) * width), expected)
  })
  return Math.max(...errors)
}

/**
 * Gradients at sampled rows, and at sampled keys and values, in float64, from the forward pass's y and sums of
 * exponentials, which it has a check of its own for.
 */
async function checkBackward(workshop: Workshop, layer: Layer, prefixOnly: boolean): Promise<number> {
  const { constants, rows, buffers } = layer
  const { heads, kvGroups, headDim, prefixLength } = constants
  const { query, keys, values, y, logSumExp, dy } = await readLayer(workshop, layer)
  const slab = kvGroups * headDim
  const width = heads * headDim
  const scale = 1 / Math.sqrt(headDim)
  const dot = (a: Float32Array, b: Float32Array) => {
    let sum = 0
    for (let d = 0; d < headDim; d++) sum += a[d] * b[d]
    return sum
  }
  const headOf = (all: Float32Array, row: number, head: number) =>
    all.subarray(row * width + head * headDim, row * width + (head + 1) * headDim)
  /** The weight of a key in a line, and the gradient of its score. */
  const pair = (row: number, head: number, c: number) => {
    const group = Math.floor((head * kvGroups) / heads)
    const at = (all: Float32Array) =>
      all.subarray(c * slab + group * headDim, c * slab + (group + 1) * headDim)
    const q = query(row).subarray(head * headDim, (head + 1) * headDim)
    const gradient = headOf(dy, row, head)
    const weight = Math.exp(dot(q, at(keys)) * scale - logSumExp[row * heads + head])
    const ds = weight * (dot(gradient, at(values)) - dot(gradient, headOf(y, row, head))) * scale
    return { q, key: at(keys), gradient, weight, ds }
  }
  const errors: number[] = []
  for (const row of prefixOnly ? [] : samples(rows, SAMPLED_ROWS)) {
    const expected = new Float64Array(width)
    for (let head = 0; head < heads; head += 5) {
      for (let c = 0; c <= prefixLength + row; c++) {
        const { key, ds } = pair(row, head, c)
        for (let d = 0; d < headDim; d++) expected[head * headDim + d] += ds * key[d]
      }
    }
    const actual = await workshop.readFloats(buffers.dqkv, row * (width + 2 * slab), width)
    const checked = actual.map((value, i) => (Math.floor(i / headDim) % 5 === 0 ? value : 0))
    errors.push(relativeError(checked, expected))
  }
  for (const c of samples(prefixLength + (prefixOnly ? 0 : rows), SAMPLED_KEYS)) {
    const group = kvGroups - 1
    const dk = new Float64Array(headDim)
    const dv = new Float64Array(headDim)
    for (let row = Math.max(0, c - prefixLength); row < rows; row++) {
      for (let head = (group * heads) / kvGroups; head < ((group + 1) * heads) / kvGroups; head++) {
        const { q, gradient, weight, ds } = pair(row, head, c)
        for (let d = 0; d < headDim; d++) {
          dk[d] += ds * q[d]
          dv[d] += weight * gradient[d]
        }
      }
    }
    const row = c - prefixLength
    const [buffer, start] =
      row < 0 ? [buffers.dprefix, c * 2 * slab] : [buffers.dqkv, row * (width + 2 * slab) + width]
    const actual = (offset: number) => workshop.readFloats(buffer, start + group * headDim + offset, headDim)
    errors.push(relativeError(await actual(0), dk), relativeError(await actual(slab), dv))
  }
  return Math.max(...errors)
}

function runOnce(gpu: Gpu, dispatches: readonly Dispatch[], rows: number): void {
  const encoder = gpu.device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  encodeDispatches(pass, dispatches, rows)
  pass.end()
  gpu.device.queue.submit([encoder.finish()])
}

function trainingCases(gpu: Gpu, shapes: CaseShapes, rows: number): KernelCase[] {
  const { heads, headDim } = shapes
  const prefixLength = Math.min(PREFIX_LENGTH, rows)
  const pairs = heads * (rows * prefixLength + (rows * (rows + 1)) / 2)
  const onMatrices = canRunTrainingAttentionSubgroup(gpu, shapes)
  const shared = {
    shape: `${rows} rows behind ${prefixLength}`,
    unit: onMatrices ? 'matrix' : 'f32',
    tolerance: onMatrices ? 1e-2 : 1e-4,
  } as const
  const bytes = rows * heads * headDim * 4
  const forward = async (workshop: Workshop) => {
    const layer = makeLayer(workshop, shapes, rows)
    const attention = await compileAttentionTraining(gpu, layer.constants, { onMatrices })
    const scratch = workshop.filled('scratch', attention.scratchBytes, { kind: 'poison' })
    return { layer, dispatches: attention.bind('attention', { ...layer.buffers, scratch }) }
  }
  return [
    {
      ...shared,
      kernel: 'attention-training',
      variant: 'forward',
      bytes: 2 * bytes,
      operations: 4 * headDim * pairs,
      async prepare(workshop) {
        const { layer, dispatches } = await forward(workshop)
        return { sets: [dispatches], rows, error: () => checkForward(workshop, layer) }
      },
    },
    ...[false, true].map(
      (prefixOnly): KernelCase => ({
        ...shared,
        kernel: 'attention-backward',
        variant: prefixOnly ? 'prefix only' : 'all gradients',
        bytes: 4 * bytes,
        // Scores and gradients of weights, and from these dq, dk and dv.
        operations: (prefixOnly ? 8 * rows * prefixLength * heads : 10 * pairs) * headDim,
        async prepare(workshop) {
          const { layer, dispatches } = await forward(workshop)
          const backward = await compileAttentionBackward(
            gpu,
            { ...layer.constants, prefixOnly },
            { onMatrices },
          )
          const scratch = workshop.filled('scratch', backward.scratchBytes, { kind: 'poison' })
          runOnce(gpu, dispatches, rows)
          return {
            sets: [backward.bind('attention', { ...layer.buffers, scratch })],
            rows,
            error: () => checkBackward(workshop, layer, prefixOnly),
          }
        },
      }),
    ),
  ]
}

/** Attention of a layer in training, forward and backward. */
export const trainingAttention: KernelFamily = (gpu, shapes) =>
  shapes.chunks.flatMap((rows) => trainingCases(gpu, shapes, rows))
