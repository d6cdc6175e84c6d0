import {
  type AffineQuantization,
  openCheckpointWriter,
  openSink,
  type SinkLocation,
  type SourceLocation,
  withLock,
} from '../../checkpoint/index.js'
import { DEVICE_SCHEMA, type DeviceChoice, openGpu } from '../../gpu/index.js'
import { checkOptions, type OptionShape } from '../../schema/index.js'
import { openModelCheckpoint, QUANTIZATION, resolveQuantization } from '../model/index.js'
import { convertedConfig, planConversion } from './conversion-plan.js'
import { type ConvertResult, runConversion } from './run-conversion.js'
import { WRITE_SHAPE, type WriteOptions } from './write-options.js'

export interface ConvertOptions extends WriteOptions {
  /** Default: 4 bits in groups of 64. */
  readonly quantization?: Partial<AffineQuantization>
  /** Default: the fastest adapter there is. */
  readonly device?: DeviceChoice
}

const SHAPE: OptionShape<ConvertOptions> = {
  ...WRITE_SHAPE,
  quantization: QUANTIZATION,
  device: DEVICE_SCHEMA,
}

/**
 * Converts a ChatGLM3 checkpoint to this project's quantized format: the matrices to 4 or 8 bits, the rest as it is.
 * A conversion that was interrupted continues when it is called again with the same settings; no file has its final
 * name before it is complete.
 *
 * @param source the official float16 checkpoint or an official quantized one; as for `loadModel`
 * @param destination a folder's path (Node) or a directory handle
 * @throws as `loadModel`; `checkpoint.not-quantizable`, `sink.failed`, `sink.resume-mismatch`, and the signal's reason
 */
export async function convertCheckpoint(
  source: SourceLocation,
  destination: SinkLocation,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  checkOptions(SHAPE, options)
  const { signal, onProgress } = options
  const quantization = resolveQuantization(options.quantization ?? {})
  const checkpoint = await openModelCheckpoint(source, options)
  const plan = planConversion(checkpoint, quantization)
  const tensors = plan.steps.flatMap(({ declarations }) => declarations)
  const sink = await openSink(destination)
  return withLock(sink, 'a conversion', async () => {
    const writer = await openCheckpointWriter(sink, tensors, {
      config: convertedConfig(checkpoint, quantization, plan) as Parameters<
        typeof openCheckpointWriter
      >[2]['config'],
      settings: { source: checkpoint.name, quantization },
      ...(options.restart && { restart: true }),
    })
    const gpu = await openGpu(options.device)
    try {
      const { steps, losses } = plan
      return await runConversion(writer, { gpu, checkpoint, steps, losses, signal, onProgress })
    } finally {
      gpu.dispose()
    }
  })
}
