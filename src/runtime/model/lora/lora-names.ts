import { HF_NAMES } from '../names/hf.js'
import { LAYER_PRODUCTS, type ProductRole } from '../network.js'

/** What a tensor of a LoRA adapter is. */
export interface LoraTensor {
  readonly layer: number
  readonly role: ProductRole
  readonly part: 'A' | 'B'
}

/** A module's name within a layer, `self_attention.query_key_value`, for each product. */
const MODULE_PATHS: readonly (readonly [string, ProductRole])[] = LAYER_PRODUCTS.map(({ weight }) => {
  const [, path] = /^transformer\.encoder\.layers\.0\.(.+)\.weight$/.exec(HF_NAMES.layer(0)[weight])!
  return [path, weight]
})

/** The products that adapters can be for, by the names that PEFT, and the official files, give their modules. */
export const LORA_MODULES: ReadonlyMap<string, ProductRole> = new Map(
  MODULE_PATHS.map(([path, role]) => [path.slice(path.lastIndexOf('.') + 1), role]),
)

/** The name of a module, as `target_modules` has it. */
export function moduleOf(role: ProductRole): string {
  return [...LORA_MODULES].find(([, other]) => other === role)![0]
}

/** A module's name in the model: `transformer.encoder.layers.0.self_attention.query_key_value`. */
export function modulePath(layer: number, role: ProductRole): string {
  return HF_NAMES.layer(layer)[role].replace(/\.weight$/, '')
}

/** The name that PEFT saves a factor under. */
export function peftName({ layer, role, part }: LoraTensor): string {
  return `base_model.model.${modulePath(layer, role)}.lora_${part}.weight`
}

/** The module of a tensor with a factor, and the name of the adapter that some programs put behind. */
const FACTOR =
  /^(?:.*\.)?transformer\.encoder\.layers\.(\d{1,4})\.([\w.]+)\.lora_([AB])(?:\.[\w-]+)?\.weight$/

/** What a name stands for, whatever a trainer put before it; undefined for others. */
export function parseLoraName(name: string): LoraTensor | undefined {
  const match = FACTOR.exec(name)
  if (!match) return undefined
  const role = MODULE_PATHS.find(([path]) => path === match[2])?.[1]
  return role && { layer: Number(match[1]), role, part: match[3] as 'A' | 'B' }
}

/** Whether tensors are those of a LoRA adapter. */
export function hasLoraFactors(names: Iterable<string>): boolean {
  for (const name of names) if (/\.lora_(embedding_)?[AB]\b/.test(name)) return true
  return false
}
