/** Models that ONNX Runtime runs in a Web Worker of a real browser: on WebGPU, and in WebAssembly where there is none. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSafetensors } from '../../src/checkpoint/index.js'
import { FolderSink } from '../../src/checkpoint/node/folder-sink.js'
import { exportOnnx, loadModel } from '../../src/index.js'
import { expectClose, randomNormal } from '../../src/kernels/testing/numbers.js'
import { randomModel } from '../random-model.js'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

const TINY = fileURLToPath(new URL('../../models/tiny', import.meta.url))
const ORT = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web')))
const GREEDY = { temperature: 0, maxTokens: 6, stopIds: [] }
const POEM = '类型#裙*颜色#红色*风格#简约'
const IDS = [262, 3, 50, 281]
const WIDTH = 2 * 2 * 2 * 32

/** Writes a random prefix for the random model. */
async function writePrefix(folder: string): Promise<void> {
  const bytes = new Uint8Array(randomNormal(3 * WIDTH, 8).buffer)
  const name = 'transformer.prefix_encoder.embedding.weight'
  const tensors = [{ name, dtype: 'F32', shape: [3, WIDTH], bytes }] as const
  await writeSafetensors(await FolderSink.open(folder), 'model.safetensors', tensors)
}

describe.runIf(hasBrowser)('a model that ONNX Runtime runs in a browser', { timeout: 300_000 }, () => {
  let tests: BrowserTests
  let page: Page
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-onnx-'))
    tests = await startBrowserTests()
    tests.server.serveFolder('/ort', ORT)
    tests.server.serveFolder('/files', folder)
    page = await tests.openPage()
  }, 120_000)
  afterAll(async () => {
    await tests?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('computes on WebGPU what it computes on the CPU, with a prefix of any strength, until it is told to end', async () => {
    const [files, prefixFiles] = [join(folder, 'model'), join(folder, 'prefix')]
    const config = { kv_channels: 32, num_layers: 2 }
    await exportOnnx(await randomModel({ config }), files, { activations: 'float32' })
    await writePrefix(prefixFiles)
    const model = await loadModel(files)
    const adapter = await model.loadAdapter(prefixFiles)
    const expected = await model.logits(IDS, { adapter, prefixStrength: 0.2 })
    const { ids } = await model.generate(IDS, { ...GREEDY, maxTokens: 3 }).result()
    model.dispose()
    const inPage = await page.evaluate(
      async ({ ids, greedy }) => {
        const onnxRuntime = new URL('/ort/', location.href).href
        const model = await chatglm.loadModelInWorker('/files/model/', { onnxRuntime })
        const adapter = await model.loadAdapter('/files/prefix/')
        const logits = [...(await model.logits(ids, { adapter, prefixStrength: 0.2 }))]
        const { ids: answer } = await model.generate(ids, { ...greedy, maxTokens: 3 }).result()
        const abort = new AbortController()
        const stream = model.generate(ids, { ...greedy, maxTokens: 50, signal: abort.signal })
        const reason = await (async () => {
          for await (const _ of stream) abort.abort(new TypeError('enough'))
        })().catch((error: Error) => error.name)
        const { description } = model.adapter
        model.dispose()
        return { logits, answer, reason, description }
      },
      { ids: IDS, greedy: GREEDY },
    )
    expect(inPage).toMatchObject({ answer: ids, reason: 'TypeError', description: 'ONNX Runtime, WebGPU' })
    expectClose(Float32Array.from(inPage.logits), expected, 1e-3)
  })

  it('answers in WebAssembly, from a checkpoint as it is', async () => {
    const local = await loadModel(TINY, { engine: 'onnx' })
    const poem = await local.loadAdapter(`${TINY}/prefixes/poem`)
    const prompt = [{ role: 'user', content: POEM }] as const
    const expected = await local.generate(prompt, { ...GREEDY, adapter: poem }).result()
    local.dispose()
    const { text, description, speed } = await page.evaluate(
      async ({ prompt, greedy }) => {
        const onnxRuntime = new URL('/ort/', location.href).href
        const options = { engine: 'onnx', device: 'software', onnxRuntime } as const
        const model = await chatglm.loadModelInWorker('/tiny/', options)
        const adapter = await model.loadAdapter('/tiny/prefixes/poem/')
        const { text } = await model.generate(prompt, { ...greedy, adapter }).result()
        const { decodeTokens, decodeSeconds } = model.stats
        const { description } = model.adapter
        model.dispose()
        return { text, description, speed: decodeTokens / decodeSeconds }
      },
      { prompt, greedy: GREEDY },
    )
    expect(text).toBe(expected.text)
    expect(description).toBe('ONNX Runtime, WebAssembly (slow)')
    console.log(`WebAssembly in Chromium decodes the small model at ${speed.toFixed(1)} tokens/s`)
  })
})
