import { ADAPTER_CONFIG_FILE, type Checkpoint, parseJson, readFile } from '../../checkpoint/index.js'
import { CheckpointError, hasCode } from '../../errors/index.js'

/** What PEFT writes beside an adapter. */
export type AdapterConfig = Readonly<Record<string, unknown>>

const MAX_ADAPTER_CONFIG_BYTES = 2 ** 20

/**
 * Reads the `adapter_config.json` beside an adapter; undefined where there is none.
 * @throws `checkpoint.adapter-invalid` where it holds no names and values
 */
export async function readAdapterConfig(
  { source, name }: Checkpoint,
  signal?: AbortSignal,
): Promise<AdapterConfig | undefined> {
  if (!(await source.has(ADAPTER_CONFIG_FILE, signal))) return undefined
  let bytes: Uint8Array
  try {
    bytes = await readFile(source, ADAPTER_CONFIG_FILE, MAX_ADAPTER_CONFIG_BYTES, signal)
  } catch (error) {
    // Servers of single-page applications answer with a web page for what they do not have.
    if (hasCode(error, 'checkpoint.not-the-file')) return undefined
    throw error
  }
  const config = parseJson(bytes, ADAPTER_CONFIG_FILE)
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as AdapterConfig
  throw adapterInvalid(`${name}: ${ADAPTER_CONFIG_FILE} holds no names and values.`)
}

/** An adapter that cannot be used, and why. */
export function adapterInvalid(message: string): CheckpointError {
  return new CheckpointError('checkpoint.adapter-invalid', message)
}
