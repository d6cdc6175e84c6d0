import { openCheckpointWriter, type SinkLocation } from '../../src/checkpoint/index.js'
import { modelTensors, parseModelConfig, type TensorSpec, tensorList } from '../../src/runtime/model/index.js'
import { bytesOf } from '../bytes-of.js'
import { type ChatGLMShape, chatglmConfig } from '../chatglm-config.js'
import { fillNormalFloat16, type NormalDistribution } from '../normal-values.js'

/** Of matrices in GPT-2 (Radford et al., 2019). */
const DEVIATION = 0.02

/**
 * How a tensor is drawn before training, as in GPT-2: norms are 1 and biases 0, and matrices that add to the residual
 * stream are smaller by the square root of the number of additions.
 */
export function trainableDistribution({ name, shape }: TensorSpec, layers: number): NormalDistribution {
  if (name.endsWith('layernorm.weight')) return { mean: 1, deviation: 0 }
  if (shape.length === 1) return { mean: 0, deviation: 0 }
  const addsToResidual = name.endsWith('.dense.weight') || name.endsWith('.dense_4h_to_h.weight')
  return { mean: 0, deviation: addsToResidual ? DEVIATION / Math.sqrt(2 * layers) : DEVIATION }
}

/**
 * Writes a model that has learned nothing: random float16 weights, the same bytes for the same seed.
 * @param tokenizer bytes of its `tokenizer.model`
 */
export async function writeInitialCheckpoint(
  destination: SinkLocation,
  shape: ChatGLMShape,
  tokenizer: Uint8Array,
  seed: number,
): Promise<void> {
  const config = chatglmConfig(shape)
  const specs = tensorList(modelTensors(parseModelConfig(config)))
  const tensors = specs.map((spec) => ({ ...spec, dtype: 'F16' as const }))
  const writer = await openCheckpointWriter(destination, tensors, { config, restart: true })
  for (const shard of writer.shards) {
    for (const { name } of shard.tensors) {
      const spec = specs.find((one) => one.name === name)!
      const halves = new Uint16Array(spec.shape.reduce((product, size) => product * size, 1))
      fillNormalFloat16(halves, trainableDistribution(spec, shape.num_layers), seed, name)
      await writer.write(name, bytesOf(halves))
    }
  }
  await writer.addFile('tokenizer.model', tokenizer)
  await writer.finish()
}
