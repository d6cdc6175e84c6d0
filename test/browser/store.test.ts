import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

const SHARD = 1_000_000
const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe.runIf(hasBrowser)('the store of a browser', () => {
  let tests: BrowserTests
  let page: Page
  const contents = new Map<string, Uint8Array>()

  beforeAll(async () => {
    tests = await startBrowserTests()
    page = await tests.openPage()
    page.on('console', (m) => console.log(m.text()))
    for (const name of shards) contents.set(name, randomBytes(SHARD))
    contents.set('config.json', new TextEncoder().encode('{}'))
    const files: Record<string, object> = {}
    for (const [name, bytes] of contents) {
      files[name] = { size: bytes.byteLength, sha256: sha256(bytes) }
      tests.server.serveBytes(`/big/${name}`, bytes)
    }
    tests.server.serveBytes('/big/manifest.json', JSON.stringify({ version: 1, files }))
  })
  afterAll(() => tests?.close())
  beforeEach(async () => {
    tests.server.forget()
    await page.evaluate(async () => (await chatglm.ModelStore.open()).deleteAll())
  })

  it('works', async () => {
    const r = await page.evaluate(async () => {
      const store = await chatglm.ModelStore.open()
      const seen: unknown[] = []
      const item = await store.download('/big/', { name: 'big.1/中', onProgress: (p) => seen.push(p) })
      return { item, list: await store.list(), usage: await store.usage(), seen, verify: await store.verify('big.1/中') }
    })
    console.log(JSON.stringify(r, null, 1))
    console.log(tests.server.requests)
  })
})
