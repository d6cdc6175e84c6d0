/** A worker that reads a stored item as a model's worker does, and tells how long that takes. */
import { ModelStore } from '../../../src/browser.js'

const CHUNK = 16 * 2 ** 20

self.onmessage = async ({ data: name }: MessageEvent<string>) => {
  const location = (await ModelStore.open()).source(name)
  if (!(typeof location === 'object' && 'open' in location)) throw new Error('no place to open')
  const source = await location.open()
  const started = performance.now()
  let bytes = 0
  for (const path of await source.list()) {
    const size = await source.size(path)
    for (let at = 0; at < size; at += CHUNK) {
      bytes += (await source.read(path, at, Math.min(at + CHUNK, size))).byteLength
    }
  }
  postMessage({ bytes, milliseconds: performance.now() - started })
}
