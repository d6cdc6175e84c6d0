import type { Gpu } from '../../../gpu/index.js'
import { allProducts, type ModelConfig, type ModelShape } from '../../model/index.js'
import { VERSION } from '../version.js'
import type { TuningStore } from './tuning-store.js'
import { VARIANT_NAMES, VARIANTS, type VariantName } from './variants.js'

/** Milliseconds of each variant that was measured; null for one that the driver could not compile. */
export type VariantTimes = Readonly<Record<string, number | null>>

/** What was measured on one GPU for one shape of model. */
export type TuningTimes = { readonly [Name in VariantName]?: VariantTimes }

/**
 * What the times depend on besides the version of this package: the adapter with its driver (in Node `description` has
 * the driver's version; a page sees no driver, but the browser's version changes with it), the features in use, and the
 * shapes of the products.
 */
export function tuningKey(gpu: Gpu, config: ModelConfig, shape: ModelShape, rows: number): string {
  const { vendor, architecture, device, description } = gpu.info
  const agent = typeof navigator === 'undefined' ? '' : (navigator.userAgent ?? '')
  // All layers have the same shapes.
  const kinds = allProducts({ ...shape, layers: shape.layers.slice(0, 1) })
  const products = kinds.map(({ inFeatures, outFeatures, slices }) => {
    const { format } = slices[0]
    const name = format.type === 'f16' ? 'f16' : `${format.type}/${format.groupSize}`
    return `${name} ${outFeatures}x${inFeatures}`
  })
  return JSON.stringify({
    adapter: [vendor, architecture, device, description],
    agent,
    features: [...gpu.device.features].sort(),
    heads: [config.heads, config.kvGroups, config.headDim],
    products,
    layers: config.layers,
    rows,
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Known variants with times that make sense; anything else in the text is left out. */
function parseTimes(value: unknown): TuningTimes {
  if (!isObject(value)) return {}
  const times = VARIANT_NAMES.flatMap((name) => {
    const entry = value[name]
    if (!isObject(entry)) return []
    const known: readonly string[] = VARIANTS[name]
    const valid = Object.entries(entry).filter(
      ([variant, ms]) =>
        known.includes(variant) && (ms === null || (typeof ms === 'number' && ms > 0 && Number.isFinite(ms))),
    )
    return [[name, Object.fromEntries(valid)]]
  })
  return Object.fromEntries(times)
}

/** Every entry of a store that this version wrote; none where it is empty, damaged, or of another version. */
async function readEntries(store: TuningStore): Promise<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse((await store.read()) ?? '')
    if (isObject(json) && json.version === VERSION && isObject(json.entries)) return json.entries
  } catch {
    // Times can always be measured again.
  }
  return {}
}

/** What was measured for a key before; nothing where the store has no such entry, or is damaged. */
export async function readTuning(store: TuningStore, key: string): Promise<TuningTimes> {
  const entries = await readEntries(store)
  return Object.hasOwn(entries, key) ? parseTimes(entries[key]) : {}
}

/** Keeps what was measured for a key beside the entries of others. A failure to write costs a measurement, no more. */
export async function writeTuning(store: TuningStore, key: string, times: TuningTimes): Promise<void> {
  const entries = { ...(await readEntries(store)), [key]: times }
  await store.write(`${JSON.stringify({ version: VERSION, entries }, null, 1)}\n`).catch(() => {})
}
