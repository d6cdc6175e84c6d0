import type { Checkpoint } from '../../../checkpoint/index.js'
import { type AdapterConfig, adapterInvalid, readAdapterConfig } from '../adapter-config.js'
import { FLOAT_DTYPES } from '../blocks/float.js'
import type { ModelConfig } from '../config.js'
import { activationWidths, LAYER_PRODUCTS, type ProductRole } from '../network.js'
import { readFloats } from '../prefix-encoder.js'
import { type LoraConfig, parseLoraConfig } from './lora-config.js'
import {
  hasLoraFactors,
  LORA_MODULES,
  type LoraTensor,
  moduleOf,
  modulePath,
  parseLoraName,
} from './lora-names.js'

/** The factors of one matrix of a model, as they lie in a file. */
export interface StoredFactors {
  readonly layer: number
  readonly role: ProductRole
  readonly rank: number
  readonly inFeatures: number
  readonly outFeatures: number
  /** What B (A x) is multiplied by. */
  readonly scale: number
  readonly names: Readonly<Record<'A' | 'B', string>>
}

/** The factors themselves. */
export interface Factors {
  /** f32 [rank, inFeatures] */
  readonly a: Float32Array
  /** f32 [outFeatures, rank] */
  readonly b: Float32Array
}

/** A LoRA adapter whose files were found to fit a model; its factors are read when they are needed. */
export interface StoredLora {
  readonly name: string
  /** By layers, and within a layer in the order of its products. */
  readonly factors: readonly StoredFactors[]
  read(factors: StoredFactors, signal?: AbortSignal): Promise<Factors>
}

const MAX_SHOWN = 5

function list(names: readonly string[]): string {
  return `${names.slice(0, MAX_SHOWN).join(', ')}${names.length > MAX_SHOWN ? ', …' : ''}`
}

/** The tensors of factors by layer and role. @throws `checkpoint.adapter-invalid` for tensors that are none */
function groupTensors(checkpoint: Checkpoint) {
  const groups = new Map<string, Partial<Record<'A' | 'B', string>> & Omit<LoraTensor, 'part'>>()
  for (const name of checkpoint.tensors.keys()) {
    const tensor = parseLoraName(name)
    if (!tensor) {
      const isDora = name.includes('lora_magnitude_vector')
      throw adapterInvalid(
        `${checkpoint.name} has a tensor ${name.slice(0, 160)}, which ${
          isDora
            ? 'belongs to DoRA: merge it into the model with PEFT (merge_and_unload), and convert that'
            : `is no factor of a module that can be adapted: ${[...LORA_MODULES.keys()].join(', ')}`
        }.`,
      )
    }
    const key = `${tensor.layer} ${tensor.role}`
    const { layer, role, part } = tensor
    const group = groups.get(key) ?? { layer, role }
    if (group[part] !== undefined) {
      throw adapterInvalid(
        `${checkpoint.name} has ${name} twice, also as ${group[part]}. Save one adapter alone.`,
      )
    }
    groups.set(key, { ...group, [part]: name })
  }
  return [...groups.values()]
}

/** @throws `checkpoint.adapter-invalid` where what a config announces is not there, or the reverse */
function checkModules(
  name: string,
  { modules, layers }: LoraConfig,
  found: readonly StoredFactors[],
  config: ModelConfig,
): void {
  const unknown = modules?.filter((module) => !LORA_MODULES.has(module.slice(module.lastIndexOf('.') + 1)))
  if (unknown && unknown.length > 0) {
    throw adapterInvalid(
      `${name}: adapter_config.json has target_modules ${list(unknown)}, which this model does not have, or which cannot be ` +
        `adapted. ChatGLM3 has ${[...LORA_MODULES.keys()].join(', ')}.`,
    )
  }
  const roles = modules
    ? new Set(modules.map((module) => LORA_MODULES.get(module.slice(module.lastIndexOf('.') + 1))!))
    : new Set(found.map(({ role }) => role))
  const wanted = layers ?? Array.from({ length: config.layers }, (_, layer) => layer)
  for (const role of roles) {
    // A name with a path is for some layers alone.
    if (modules?.some((module) => module.includes('.') && module.endsWith(moduleOf(role)))) continue
    const missing = wanted.filter(
      (layer) => !found.some((factors) => factors.layer === layer && factors.role === role),
    )
    if (missing.length === 0) continue
    throw adapterInvalid(
      `${name} has no factors of ${moduleOf(role)} in layers ${list(missing.map(String))}, which its config announces. ` +
        'Copy all files of the adapter.',
    )
  }
  const stray = found.find(({ role }) => !roles.has(role))
  if (stray) {
    throw adapterInvalid(
      `${name} has factors of ${modulePath(stray.layer, stray.role)}, but adapter_config.json has target_modules ` +
        `${list(modules ?? [])}.`,
    )
  }
}

/** Checks one matrix's factors against the model. */
function factorsOf(
  checkpoint: Checkpoint,
  config: ModelConfig,
  lora: LoraConfig,
  group: ReturnType<typeof groupTensors>[number],
): StoredFactors {
  const { layer, role, A, B } = group
  const module = modulePath(layer, role)
  const trainedOn = lora.base === undefined ? 'another model' : `another model (${lora.base})`
  if (layer >= config.layers) {
    throw adapterInvalid(
      `${checkpoint.name} has factors of ${module}, but this model has ${config.layers} layers. ` +
        `The adapter was trained on ${trainedOn}.`,
    )
  }
  if (A === undefined || B === undefined) {
    throw adapterInvalid(
      `${checkpoint.name} has ${A ?? B}, but not the factor ${A === undefined ? 'A' : 'B'} of ${module}. ` +
        'Copy all files of the adapter.',
    )
  }
  const { x, y } = LAYER_PRODUCTS.find(({ weight }) => weight === role)!
  const widths = activationWidths(config)
  const [inFeatures, outFeatures] = [widths[x], widths[y]]
  const a = checkpoint.requireTensor(A, { dtype: FLOAT_DTYPES }).shape
  const b = checkpoint.requireTensor(B, { dtype: FLOAT_DTYPES }).shape
  const [rank] = a
  const fits =
    a.length === 2 && b.length === 2 && a[1] === inFeatures && b[0] === outFeatures && b[1] === rank
  if (!fits || rank < 1) {
    throw adapterInvalid(
      `${checkpoint.name}: the factors of ${module} are [${a}] and [${b}], but this model takes [rank, ${inFeatures}] and ` +
        `[${outFeatures}, rank]. The adapter was trained on ${trainedOn}.`,
    )
  }
  const most = Math.min(inFeatures, outFeatures)
  if (rank > most) {
    throw adapterInvalid(
      `${checkpoint.name}: the factors of ${module} have the rank ${rank}; the matrix has at most ${most}.`,
    )
  }
  const scale = lora.scale(module, rank)
  return { layer, role, rank, inFeatures, outFeatures, scale, names: { A, B } }
}

/** Whether a folder holds a LoRA adapter, by its config or its tensors. */
export async function isLora(checkpoint: Checkpoint, signal?: AbortSignal): Promise<boolean> {
  if (hasLoraFactors(checkpoint.tensors.keys())) return true
  return (await readAdapterConfig(checkpoint, signal))?.peft_type === 'LORA'
}

/**
 * Checks that an adapter of LoRA, as PEFT saves it, fits a model: every tensor by its name and shape.
 * @throws `checkpoint.adapter-invalid` naming what does not fit
 */
export async function openLora(
  checkpoint: Checkpoint,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<StoredLora> {
  const { name } = checkpoint
  const adapter: AdapterConfig | undefined = await readAdapterConfig(checkpoint, signal)
  if (!adapter) {
    throw adapterInvalid(
      `${name} has factors of LoRA, but no adapter_config.json, which says what they are multiplied by. ` +
        'Copy all files of the adapter.',
    )
  }
  const lora = parseLoraConfig(name, adapter)
  const order = LAYER_PRODUCTS.map(({ weight }) => weight)
  const factors = groupTensors(checkpoint)
    .map((group) => factorsOf(checkpoint, config, lora, group))
    .sort((one, other) => one.layer - other.layer || order.indexOf(one.role) - order.indexOf(other.role))
  checkModules(name, lora, factors, config)
  return {
    name,
    factors,
    read: async ({ names, rank, inFeatures, outFeatures }, signal) => ({
      a: await readFloats(checkpoint, names.A, [rank, inFeatures], signal, 'checkpoint.adapter-invalid'),
      b: await readFloats(checkpoint, names.B, [outFeatures, rank], signal, 'checkpoint.adapter-invalid'),
    }),
  }
}
