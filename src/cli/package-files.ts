import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The name by which the model that ships with the package is called. */
export const BUNDLED_MODEL = 'tiny'

/** The folder of this package, which holds the source and the built command at different depths. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}

const bundledFolder = () => join(packageFolder(), 'models', BUNDLED_MODEL)

/** The names of the prefixes that ship with the bundled model. */
export function bundledPrefixes(): string[] {
  return readdirSync(join(bundledFolder(), 'prefixes')).sort()
}

/** Where a prefix is that the user names: for the bundled model one of its own by its name, any other by path or URL. */
export function prefixSource(model: string, prefix: string): string {
  const isBundled = model === BUNDLED_MODEL && bundledPrefixes().includes(prefix)
  return isBundled ? join(bundledFolder(), 'prefixes', prefix) : prefix
}

/** Where a model is that the user names: the bundled one by its name, any other by path, URL or `hf:owner/name`. */
export function modelSource(model: string): string {
  return model === BUNDLED_MODEL ? bundledFolder() : model
}
