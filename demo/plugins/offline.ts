import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Plugin, Rolldown } from 'vite'

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** Drops assets that no code names any more: those of parts of the library that the page does not use. */
function dropUnused(bundle: Rolldown.OutputBundle): void {
  const texts = Object.values(bundle).flatMap((file) =>
    file.type === 'chunk' ? [file.code] : typeof file.source === 'string' ? [file.source] : [],
  )
  for (const name of Object.keys(bundle)) {
    const isNamed = texts.some((text) => text.includes(posix.basename(name)))
    if (bundle[name].type === 'asset' && name.startsWith('assets/') && !isNamed) delete bundle[name]
  }
}

/**
 * Adds folders to the page, and tells the service worker all files to keep, each with the hash of its content.
 * @param folders by the path that they get
 * @param left a folder of the page that is not kept
 */
export function offline(folders: Readonly<Record<string, string>>, left: string): Plugin {
  let publicFolder = ''
  return {
    name: 'offline',
    configResolved: (config) => {
      publicFolder = config.publicDir
    },
    /** The development server finds the folders where they are. */
    configureServer: (server) => {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? '').split('?')[0].slice(1)
        const [target, source] = Object.entries(folders).find(([name]) => path.startsWith(`${name}/`)) ?? []
        if (!target || !source) return next()
        try {
          response.end(readFileSync(join(source, path.slice(target.length + 1))))
        } catch {
          response.writeHead(404).end()
        }
      })
    },
    buildStart() {
      for (const [target, source] of Object.entries(folders)) {
        for (const file of filesOf(source)) {
          const fileName = posix.join(target, file)
          this.emitFile({ type: 'asset', fileName, source: readFileSync(join(source, file)) })
        }
      }
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        dropUnused(bundle)
        const contents = new Map<string, string | Uint8Array>()
        for (const [name, file] of Object.entries(bundle)) {
          if (name !== 'sw.js' && !name.startsWith(left))
            contents.set(name, file.type === 'chunk' ? file.code : file.source)
        }
        for (const name of filesOf(publicFolder)) contents.set(name, readFileSync(join(publicFolder, name)))
        const files = [...contents].map(([path, content]) => ({
          path,
          hash: createHash('sha256').update(content).digest('hex').slice(0, 16),
        }))
        const worker = bundle['sw.js']
        if (worker?.type !== 'chunk') throw new Error('The service worker is not in the bundle.')
        worker.code = worker.code.replace('__FILES__', JSON.stringify(files))
      },
    },
  }
}
