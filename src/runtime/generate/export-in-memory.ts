import { type ByteSource, type Checkpoint, MemoryFiles } from '../../checkpoint/index.js'
import { checkWasmSize } from '../engine/index.js'
import { announcedMatrix, modelTensors, parseModelConfig } from '../model/index.js'
import type { LoadModelOptions } from './load-options.js'

/** Models up to this size stay floats: products with them are several times faster in WebAssembly, and exact. */
const MOST_FLOAT_BYTES = 2 ** 30

/**
 * A checkpoint as an ONNX model in memory, for machines without WebGPU. It computes in float32, which WebAssembly does anyway. A
 * small model has weights of float32, too, unless `quantization` wants fewer bits; in a large one integers keep their bits and
 * floats get 4.
 * @throws `adapter.limit` where the model does not fit WebAssembly, before it is read; as `exportOnnx`
 */
export async function exportInMemory(
  source: ByteSource,
  checkpoint: Checkpoint,
  { quantization, signal, onProgress }: LoadModelOptions,
): Promise<MemoryFiles> {
  const { exportOnnx, onnxBytes } = await import('../convert/index.js')
  const config = parseModelConfig(checkpoint.config)
  const floats = { bits: 16, activations: 'float32' } as const
  const stored = announcedMatrix(checkpoint.config, modelTensors(config).layers[0].qkv).bits
  const settings =
    !quantization && onnxBytes(config, floats) <= MOST_FLOAT_BYTES
      ? floats
      : ({ bits: stored ?? quantization?.bits ?? 4, activations: 'float32' } as const)
  checkWasmSize(source.name, onnxBytes(config, settings))
  const files = new MemoryFiles([], source.name)
  await exportOnnx(source, files, {
    ...settings,
    ...(signal && { signal }),
    ...(onProgress && {
      onProgress: ({ doneBytes, totalBytes }) => onProgress({ stage: 'weights', doneBytes, totalBytes }),
    }),
  })
  return files
}
