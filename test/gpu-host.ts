import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'vite'

/** The program of a card's process, built for a test. */
export interface BuiltHost {
  readonly script: string
  remove(): Promise<void>
}

/** Builds a module that runs in processes of its own. */
export async function buildHost(entry = 'src/cards/node/gpu-host.ts'): Promise<BuiltHost> {
  const folder = await mkdtemp(join(tmpdir(), 'chatglm-host-'))
  await build({
    configFile: 'vite.config.ts',
    mode: 'production',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: false, lib: { formats: ['es'], entry: { host: resolve(entry) } } },
  })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  return {
    script: join(folder, 'host.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
