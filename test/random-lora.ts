import {
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  writeSafetensors,
} from '../src/checkpoint/index.js'
import { randomNormal } from '../src/kernels/testing/numbers.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { openLora, type StoredLora } from '../src/runtime/model/index.js'
import { LORA_MODULES, peftName } from '../src/runtime/model/lora/lora-names.js'
import { activationWidths, LAYER_PRODUCTS } from '../src/runtime/model/network.js'
import { RANDOM_MODEL_CONFIG } from './random-model.js'

export interface RandomLoraOptions {
  readonly modules?: readonly string[]
  readonly rank?: number
  readonly seed?: number
  /** Of `adapter_config.json`. */
  readonly config?: object
  /** Of the model. */
  readonly model?: object
}

/** A folder as PEFT saves a LoRA adapter for the model that tests make, with random factors. */
export async function randomLora(options: RandomLoraOptions = {}): Promise<MemoryFiles> {
  const { modules = ['query_key_value'], rank = 4, seed = 11, config = {}, model = {} } = options
  const json = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: 'random',
    r: rank,
    lora_alpha: 2 * rank,
    lora_dropout: 0.1,
    bias: 'none',
    fan_in_fan_out: false,
    modules_to_save: null,
    target_modules: modules,
    ...config,
  }
  const sizes = parseModelConfig({ ...RANDOM_MODEL_CONFIG, ...model })
  const widths = activationWidths(sizes)
  const tensors = Array.from({ length: sizes.layers }, (_, layer) =>
    modules.flatMap((module, at): TensorWithBytes[] => {
      const role = LORA_MODULES.get(module)!
      const { x, y } = LAYER_PRODUCTS.find(({ weight }) => weight === role)!
      const factor = (part: 'A' | 'B', shape: [number, number]): TensorWithBytes => {
        const numbers = randomNormal(
          shape[0] * shape[1],
          seed + 100 * layer + 10 * at + Number(part === 'B'),
          0.1,
        )
        return {
          name: peftName({ layer, role, part }),
          dtype: 'F32',
          shape,
          bytes: new Uint8Array(numbers.buffer),
        }
      }
      return [factor('A', [rank, widths[x]]), factor('B', [widths[y], rank])]
    }),
  )
  const files = new MemoryFiles(
    [['adapter_config.json', new TextEncoder().encode(JSON.stringify(json))]],
    `adapter ${seed}`,
  )
  await writeSafetensors(files, 'adapter_model.safetensors', tensors.flat())
  return files
}

/** The same, opened for the model. */
export async function openRandomLora(files: MemoryFiles, model: object = {}): Promise<StoredLora> {
  return openLora(await openCheckpoint(files), parseModelConfig({ ...RANDOM_MODEL_CONFIG, ...model }))
}
