/** `adapter_config.json` of PEFT's LoRA: what it says, and what of it cannot be done. */
import { type AdapterConfig, adapterInvalid } from '../adapter-config.js'

/** What the terms of an adapter are multiplied by, and where they belong. */
export interface LoraConfig {
  /** Of a module: alpha / rank, or alpha / sqrt(rank) with `use_rslora`. */
  scale(module: string, rank: number): number
  /** The modules that it says it is for; undefined where that is a pattern. */
  readonly modules: readonly string[] | undefined
  /** The only layers that it is for; undefined: all. */
  readonly layers: readonly number[] | undefined
  /** The model that it was trained on, as the trainer called it. */
  readonly base: string | undefined
}

/** Fields that say nothing about what is computed with finished factors. */
const WITHOUT_MEANING = [
  ...['peft_type', 'task_type', 'inference_mode', 'auto_mapping', 'revision', 'peft_version'],
  ...['lora_dropout', 'runtime_config', 'megatron_config', 'megatron_core', 'layers_pattern'],
  ...['exclude_modules', 'r', 'rank_pattern', 'eva_config', 'loftq_config', 'corda_config'],
]
const READ = [
  ...['lora_alpha', 'alpha_pattern', 'use_rslora', 'target_modules', 'layers_to_transform'],
  ...['base_model_name_or_path', 'init_lora_weights', 'bias'],
]
/** Initialisations that change the model's own weights: the adapter belongs to a model that is not there. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq)/

/** What is refused where it is set, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  use_dora:
    'DoRA scales the rows of the weights, too: merge it into the model with PEFT (merge_and_unload), and convert that',
  modules_to_save:
    'it has whole modules of the model beside its factors: merge it into the model with PEFT (merge_and_unload), and convert that',
  fan_in_fan_out: 'the matrices of this model are [out, in]',
  lora_bias: 'its factors have biases, which are not added here',
  layer_replication: 'it repeats layers of the model',
  trainable_token_indices: 'it trained rows of the embedding',
  target_parameters: 'it adapts parameters that are no linear layers',
  use_qalora: 'it sums its inputs over groups',
}

/** Whether a field says nothing: PEFT writes every field that it knows. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 80)
}

function refuseUnsupported(name: string, config: AdapterConfig): void {
  for (const [field, value] of Object.entries(config)) {
    if (isEmpty(value) || WITHOUT_MEANING.includes(field) || READ.includes(field)) continue
    const why = Object.hasOwn(REFUSED, field) ? REFUSED[field] : 'this field is not known here'
    throw adapterInvalid(`${name}: adapter_config.json says ${field.slice(0, 60)}: ${shown(value)}; ${why}.`)
  }
  if (!isEmpty(config.bias) && config.bias !== 'none') {
    throw adapterInvalid(
      `${name}: adapter_config.json says bias: ${shown(config.bias)}; only factors are read: "none" is needed.`,
    )
  }
  const { init_lora_weights: init } = config
  if (typeof init === 'string' && CHANGES_BASE.test(init.toLowerCase())) {
    throw adapterInvalid(
      `${name}: adapter_config.json says init_lora_weights: ${shown(init)}, which changes the weights of the model: ` +
        'the factors do not fit the original one. Convert the adapter with PEFT to one of ordinary LoRA ' +
        '(save_pretrained with path_initial_model_for_weight_conversion).',
    )
  }
}

function positive(name: string, field: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value < 2 ** 24) return value
  throw adapterInvalid(
    `${name}: adapter_config.json says ${field}: ${shown(value)}; a number above 0 is needed.`,
  )
}

/** The modules of `target_modules`; undefined for a pattern, or for all linear layers. */
function modulesOf(name: string, value: unknown): readonly string[] | undefined {
  if (typeof value === 'string' || value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw adapterInvalid(
    `${name}: adapter_config.json says target_modules: ${shown(value)}; names of modules are needed.`,
  )
}

function layersOf(name: string, value: unknown): readonly number[] | undefined {
  if (value === undefined || value === null) return undefined
  const layers = Array.isArray(value) ? value : [value]
  if (layers.every((layer) => Number.isSafeInteger(layer) && layer >= 0)) return layers
  throw adapterInvalid(
    `${name}: adapter_config.json says layers_to_transform: ${shown(value)}; numbers of layers are needed.`,
  )
}

/** The alpha of single modules. @returns what alpha a module has */
function alphasOf(name: string, config: AdapterConfig): (module: string) => number {
  const alpha = positive(name, 'lora_alpha', config.lora_alpha)
  const pattern = isEmpty(config.alpha_pattern) ? {} : (config.alpha_pattern as Record<string, unknown>)
  const alphas = Object.entries(pattern).map(([key, value]) => {
    if (!/^[\w.]+$/.test(key)) {
      throw adapterInvalid(
        `${name}: adapter_config.json has the pattern ${shown(key)} in alpha_pattern; only names of modules are read.`,
      )
    }
    return [key, positive(name, `alpha_pattern.${key}`, value)] as const
  })
  return (module) => alphas.find(([key]) => module === key || module.endsWith(`.${key}`))?.[1] ?? alpha
}

/**
 * Reads the config of a LoRA adapter. Ranks are those of its tensors.
 * @param name what to call the adapter
 * @throws `checkpoint.adapter-invalid` naming the field, for what is not supported
 */
export function parseLoraConfig(name: string, config: AdapterConfig): LoraConfig {
  refuseUnsupported(name, config)
  const alphaOf = alphasOf(name, config)
  const isStable = config.use_rslora === true
  return {
    scale: (module, rank) => alphaOf(module) / (isStable ? Math.sqrt(rank) : rank),
    modules: modulesOf(name, config.target_modules),
    layers: layersOf(name, config.layers_to_transform),
    base:
      typeof config.base_model_name_or_path === 'string' && config.base_model_name_or_path !== ''
        ? config.base_model_name_or_path.slice(0, 200)
        : undefined,
  }
}
