import { build } from 'vite'

/**
 * Builds the library as `npm run build` does, without writing it.
 * @returns the code of each file by its name
 */
export async function buildLibrary(
  mode: 'production' | 'browser' | 'worker' | 'store-worker',
): Promise<Map<string, string>> {
  const built = await build({
    configFile: 'vite.config.ts',
    mode,
    logLevel: 'error',
    build: { write: false },
  })
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  return new Map(outputs.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file.code]] : [])))
}
