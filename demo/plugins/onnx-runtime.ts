import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

/** Where the page finds ONNX Runtime. */
export const FOLDER = 'ort/'
/** The build for WebAssembly: the page has its own kernels for WebGPU. */
const FILES = ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm']

const TYPES: Readonly<Record<string, string>> = { mjs: 'text/javascript', wasm: 'application/wasm' }

/** Puts ONNX Runtime beside the page, for browsers without WebGPU. Only they load it: it has 14 MB. */
export function onnxRuntime(): Plugin {
  const read = (file: string) =>
    readFileSync(join(dirname(fileURLToPath(import.meta.resolve('onnxruntime-web'))), file))
  return {
    name: 'onnx-runtime',
    configureServer: (server) => {
      server.middlewares.use((request, response, next) => {
        const file = FILES.find((name) => request.url?.split('?')[0] === `/${FOLDER}${name}`)
        if (!file) return next()
        response.setHeader('Content-Type', TYPES[file.split('.').at(-1)!])
        response.end(read(file))
      })
    },
    buildStart() {
      for (const file of FILES) {
        this.emitFile({ type: 'asset', fileName: `${FOLDER}${file}`, source: read(file) })
      }
    },
  }
}
