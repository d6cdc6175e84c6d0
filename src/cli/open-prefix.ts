import { hasCode } from '../errors/index.js'
import type { AdapterHandle } from '../index.js'
import { CommandError } from './errors.js'
import type { CliModel } from './library.js'
import { BUNDLED_MODEL, bundledPrefixes, prefixSource } from './package-files.js'

/**
 * Loads the prefix that the user named.
 * @param modelName what the user calls the model: the bundled one has prefixes with names
 * @throws `checkpoint.prefix-invalid`, and errors of the source
 */
export async function openPrefix(
  model: CliModel,
  modelName: string,
  prefix: string,
  signal: AbortSignal,
): Promise<AdapterHandle> {
  try {
    return await model.loadAdapter(prefixSource(modelName, prefix), { signal })
  } catch (error) {
    throw explain(error, modelName)
  }
}

/** A path that leads nowhere can be a name that is not there. */
function explain(error: unknown, modelName: string): unknown {
  if (!hasCode(error, 'source.not-found') || modelName !== BUNDLED_MODEL) return error
  return new CommandError(
    `${error.message}\nPrefixes that ${BUNDLED_MODEL} has by name: ${bundledPrefixes().join(', ')}.`,
  )
}
