import {
  type Checkpoint,
  type FloatDType,
  float32ToBfloat16,
  float32ToFloat16,
  openCheckpoint,
  openCheckpointWriter,
  openSink,
  type SinkLocation,
  type SourceLocation,
  type TensorInfo,
  toFloat32,
  withLock,
} from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { checkOptions } from '../../schema/index.js'
import {
  type Factors,
  FLOAT_DTYPES,
  modelTensors,
  openLora,
  openModelCheckpoint,
  parseModelConfig,
  type StoredFactors,
  type StoredLora,
} from '../model/index.js'
import { type ConversionStep, copyTensor } from './conversion-plan.js'
import { type ConvertResult, runConversion } from './run-conversion.js'
import { WRITE_SHAPE, type WriteOptions } from './write-options.js'

/** Bytes of a matrix that are in memory at a time. */
const BLOCK_BYTES = 16 * 2 ** 20

/** w + scale * B A for rows of a matrix, in f32, with sums in f64. */
function addFactors(
  rows: Float32Array,
  first: number,
  { rank, inFeatures, scale }: StoredFactors,
  { a, b }: Factors,
): void {
  const delta = new Float64Array(inFeatures)
  for (let row = 0; row * inFeatures < rows.length; row++) {
    delta.fill(0)
    for (let j = 0; j < rank; j++) {
      const factor = scale * b[(first + row) * rank + j]
      for (let i = 0; i < inFeatures; i++) delta[i] += factor * a[j * inFeatures + i]
    }
    for (let i = 0; i < inFeatures; i++) rows[row * inFeatures + i] += delta[i]
  }
}

function bytesOf(rows: Float32Array, dtype: FloatDType, name: string): Uint8Array {
  const stored = dtype === 'F16' ? float32ToFloat16(rows) : dtype === 'BF16' ? float32ToBfloat16(rows) : rows
  const isBroken = dtype === 'F16' && (stored as Uint16Array).some((half) => (half & 0x7c00) === 0x7c00)
  if (isBroken || !rows.every(Number.isFinite)) {
    throw new CheckpointError(
      'checkpoint.adapter-invalid',
      `Merged, ${name} has elements beyond the range of ${dtype}; the adapter's training diverged.`,
    )
  }
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
}

/** A matrix with an adapter's term added, a block of rows after the other, in the dtype that it has. */
function mergeMatrix(tensor: TensorInfo, lora: StoredLora, factors: StoredFactors): ConversionStep {
  const { name, dtype, shape } = tensor
  return {
    sources: [tensor],
    declarations: [{ name, dtype, shape } as ConversionStep['declarations'][number]],
    async *parts(context) {
      const values = await lora.read(factors)
      const rowBytes = tensor.byteLength / factors.outFeatures
      const step = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
      for (let first = 0; first < factors.outFeatures; first += step) {
        const end = Math.min(factors.outFeatures, first + step)
        const bytes = await context.read(tensor, first, end - first, rowBytes)
        // The bytes may be the source's own, and are not written to.
        const rows = toFloat32(bytes, dtype as FloatDType).slice()
        addFactors(rows, first, factors, values)
        yield [bytesOf(rows, dtype as FloatDType, name)]
      }
    },
  }
}

/** How every tensor of a model gets into the merged one. @throws `checkpoint.not-quantizable` */
function planMerge(checkpoint: Checkpoint, lora: StoredLora): ConversionStep[] {
  const config = parseModelConfig(checkpoint.config)
  const { layers } = modelTensors(config)
  const merged = new Map(lora.factors.map((factors) => [layers[factors.layer][factors.role].name, factors]))
  for (const name of merged.keys()) {
    const tensor = checkpoint.tensors.get(name)
    if (tensor && (FLOAT_DTYPES as readonly string[]).includes(tensor.dtype)) continue
    throw new CheckpointError(
      'checkpoint.not-quantizable',
      `${checkpoint.name} has no floats for ${name}: merged into quantized weights, much of an adapter would be rounded away. ` +
        'Merge it into the float16 checkpoint and convert that, or use it unmerged.',
    )
  }
  return [...checkpoint.tensors.values()].map((tensor) => {
    const factors = merged.get(tensor.name)
    return factors ? mergeMatrix(tensor, lora, factors) : copyTensor(tensor)
  })
}

/**
 * Merges a LoRA adapter into a float checkpoint: w + scale * B A, in the dtype that each matrix has. It is written as a stream, and
 * continues where it was interrupted, as a conversion. The result is a model of its own, for `loadModel` and `convertCheckpoint`.
 *
 * @param source the official float16 checkpoint, or another one of floats
 * @param adapter a folder as PEFT saves it; as for `loadAdapter`
 * @param destination a folder's path (Node) or a directory handle
 * @throws `checkpoint.adapter-invalid`, `checkpoint.not-quantizable` for quantized weights, `sink.failed`,
 *   `sink.resume-mismatch`, and the signal's reason
 */
export async function mergeAdapter(
  source: SourceLocation,
  adapter: SourceLocation,
  destination: SinkLocation,
  options: WriteOptions = {},
): Promise<ConvertResult> {
  checkOptions(WRITE_SHAPE, options)
  const { signal, onProgress } = options
  const checkpoint = await openModelCheckpoint(source, options)
  const config = parseModelConfig(checkpoint.config)
  const lora = await openLora(await openCheckpoint(adapter, options), config, signal)
  const steps = planMerge(checkpoint, lora)
  const sink = await openSink(destination)
  return withLock(sink, 'a merge', async () => {
    const writer = await openCheckpointWriter(
      sink,
      steps.flatMap(({ declarations }) => declarations),
      {
        config: checkpoint.config as Parameters<typeof openCheckpointWriter>[2]['config'],
        settings: { source: checkpoint.name, adapter: lora.name },
        ...(options.restart && { restart: true }),
      },
    )
    return runConversion(writer, { gpu: undefined, checkpoint, steps, signal, onProgress })
  })
}
