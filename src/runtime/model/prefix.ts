import { type Checkpoint, float32ToFloat16 } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { encodeDispatches, type Gpu } from '../../gpu/index.js'
import { compileMatmul, compileTanh } from '../../kernels/index.js'
import type { ModelConfig } from './config.js'
import { PREFIX_ENCODER } from './names/hf.js'
import { prefixWidth, readFloats, readPrefixRows } from './prefix-encoder.js'

/** A loaded adapter as those see it who only give it to calls; what it is made of is where the model is. */
export interface AdapterHandle {
  /** `prefix`: keys and values of P-Tuning v2; `lora`: terms that are added to products. */
  readonly kind: 'prefix' | 'lora'
  /** Where it was loaded from. */
  readonly name: string
  /** Rows of the cache that it takes: those of a prefix (virtual tokens, P), and none for LoRA. */
  readonly length: number
}

/** A P-Tuning v2 prefix on the GPU: keys and values that every layer sees before the first token. */
export interface Prefix extends AdapterHandle {
  readonly kind: 'prefix'
  /** f16 [2 layers, P, kvGroups * headDim]: slab 2l holds layer l's keys, slab 2l + 1 its values. */
  readonly rows: GPUBuffer
}

/**
 * y = tanh(e W0^T + b0) W2^T + b2: the encoder with `prefix_projection`, evaluated on the GPU.
 * @param embedding [length, width]
 */
async function project(
  gpu: Gpu,
  checkpoint: Checkpoint,
  names: string,
  embedding: Float32Array,
  width: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const inner = checkpoint.requireTensor(`${names}0.weight`).shape[0]
  const rows = embedding.length / width
  const buffers: GPUBuffer[] = []
  const keep = (buffer: GPUBuffer) => {
    buffers.push(buffer)
    return buffer
  }
  const halves = async (name: string, shape: readonly number[]) =>
    keep(gpu.upload('prefixes', name, float32ToFloat16(await readFloats(checkpoint, name, shape, signal))))
  const floats = (label: string, count: number) => keep(gpu.allocate('prefixes', label, count * 4))
  const linear = async (
    index: number,
    inFeatures: number,
    outFeatures: number,
    x: GPUBuffer,
    y: GPUBuffer,
  ) => {
    const weight = await halves(`${names}${index}.weight`, [outFeatures, inFeatures])
    const bias = await halves(`${names}${index}.bias`, [outFeatures])
    const constants = {
      inFeatures,
      outFeatures,
      outStride: outFeatures,
      outOffset: 0,
      hasBias: true,
      accumulate: false,
      maxRows: rows,
    }
    const exact = { element: 'f32', alone: gpu.software } as const
    const kernel = await compileMatmul(gpu, { ...constants, format: { type: 'f16' } }, exact)
    return kernel.bind('prefix projection', { weight, bias, x, y })
  }
  try {
    const x = keep(gpu.upload('prefixes', 'prefix embedding', embedding as Float32Array<ArrayBuffer>))
    const hidden = floats('prefix hidden', rows * inner)
    const y = floats('prefix output', rows * width)
    const tanh = await compileTanh(gpu, { count: rows * inner })
    const dispatches = [
      ...(await linear(0, width, inner, x, hidden)),
      ...tanh.bind('prefix tanh', { x: hidden }),
      ...(await linear(2, inner, width, hidden, y)),
    ]
    const encoder = gpu.device.createCommandEncoder({ label: 'prefix projection' })
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, dispatches, rows)
    pass.end()
    gpu.device.queue.submit([encoder.finish()])
    return new Float32Array(await gpu.read(y, 0, rows * width * 4))
  } finally {
    for (const buffer of buffers) gpu.free(buffer)
  }
}

/**
 * Whether a model was saved together with a prefix that it answers with: the official fine-tuning sets `pre_seq_len` in
 * `config.json` and saves the whole model.
 */
export function hasOwnPrefix({ config, tensors }: Checkpoint): boolean {
  const { pre_seq_len: length } = config as { pre_seq_len?: unknown }
  return typeof length === 'number' && length > 0 && tensors.has(`${PREFIX_ENCODER}embedding.weight`)
}

/**
 * Loads a P-Tuning v2 prefix: a trainer's `pytorch_model.bin`, safetensors, or part of a whole checkpoint. With
 * `prefix_projection` its two layers are evaluated here, once.
 * @throws `checkpoint.prefix-invalid` when there is none, or it was made for a model of another shape
 */
export async function loadPrefix(
  gpu: Gpu,
  checkpoint: Checkpoint,
  config: ModelConfig,
  maxLength: number,
  signal?: AbortSignal,
): Promise<Prefix> {
  const onGpu = (names: string, embedding: Float32Array, width: number) =>
    project(gpu, checkpoint, names, embedding, width, signal)
  const rows = await readPrefixRows(checkpoint, config, maxLength, onGpu, signal)
  return uploadPrefix(gpu, config, rows, checkpoint.name)
}

/**
 * Puts the rows of a prefix on the GPU in the layout of `Prefix`.
 * @param rows f32 [P, prefixWidth(config)]
 */
export async function uploadPrefix(
  gpu: Gpu,
  config: ModelConfig,
  rows: Float32Array,
  name: string,
): Promise<Prefix> {
  const width = prefixWidth(config)
  const length = rows.length / width
  const slab = config.kvGroups * config.headDim
  const transposed = new Float32Array(rows.length)
  for (let row = 0; row < length; row++) {
    for (let part = 0; part < 2 * config.layers; part++) {
      const values = rows.subarray(row * width + part * slab, row * width + (part + 1) * slab)
      transposed.set(values, (part * length + row) * slab)
    }
  }
  const halves = float32ToFloat16(transposed)
  if (halves.some((half) => (half & 0x7c00) === 0x7c00)) {
    throw new CheckpointError(
      'checkpoint.prefix-invalid',
      `${name}: the prefix holds values beyond the range of f16 (65504); its training diverged.`,
    )
  }
  const buffer = await gpu.allocating('prefix', () => gpu.upload('prefixes', `prefix ${name}`, halves))
  return { kind: 'prefix', name, length, rows: buffer }
}
