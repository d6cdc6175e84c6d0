import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { downloadCheckpoint } from '../download.js'
import { openSource } from '../open-files.js'
import { floats, json, safetensorsFile } from '../testing.js'

const COMMIT = 'c0ffee'.padEnd(40, '0')
const FILES: Readonly<Record<string, Uint8Array>> = {
  'config.json': json({ model_type: 'chatglm' }),
  'model.safetensors': safetensorsFile([{ name: 'a', dtype: 'F32', shape: [1], bytes: floats(1) }]),
}

describe("the cache of Hugging Face's tools", () => {
  let server: Server
  let tellsCommit = true
  let requests = 0
  let cache: string
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests++
      const path = request.url!.replace(/^.*\/resolve\/[^/]+\//, '')
      if (request.url!.includes('/revision/') && tellsCommit)
        return response.end(JSON.stringify({ sha: COMMIT }))
      const bytes = FILES[path]
      if (!bytes) return response.writeHead(404).end()
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
      const [start, end] = [Number(from ?? 0), to ? Number(to) + 1 : bytes.length]
      response.writeHead(from ? 206 : 200, {
        'content-length': end - start,
        ...(from && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
      })
      response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start, end))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'chatglm-hub-'))
    vi.stubEnv('HF_HUB_CACHE', cache)
    vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    tellsCommit = true
    requests = 0
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(cache, { recursive: true, force: true })
  })

  it('gets what is downloaded without a destination, and is read in place of the hub from then on', async () => {
    expect(await downloadCheckpoint('hf:owner/name')).toMatchObject({ files: 2, kept: 0 })
    const snapshot = join(cache, 'models--owner--name', 'snapshots', COMMIT)
    expect(new Uint8Array(await readFile(join(snapshot, 'config.json')))).toEqual(FILES['config.json'])
    expect(await readFile(join(cache, 'models--owner--name', 'refs', 'main'), 'utf8')).toBe(COMMIT)
    requests = 0
    for (const id of ['hf:owner/name', 'hf:owner/name@main', `hf:owner/name@${COMMIT}`]) {
      const source = await openSource(id)
      expect(source.name).toBe(snapshot)
      expect(await source.size('model.safetensors')).toBe(FILES['model.safetensors'].length)
    }
    expect(requests).toBe(0)
    // Another download asks the hub, and finds everything there.
    expect(await downloadCheckpoint('hf:owner/name')).toMatchObject({ files: 2, kept: 2 })
  })

  it('does not stand for the hub where a file is missing, another revision is asked for, or a server is named', async () => {
    await downloadCheckpoint('hf:owner/name')
    const isCached = async (id: string, options = {}) =>
      (await openSource(id, options)).name.startsWith(cache)
    expect(await isCached('hf:owner/name')).toBe(true)
    expect(await isCached('hf:owner/name@other')).toBe(false)
    expect(await isCached('hf:owner/name', { endpoints: { hf: 'https://example.org' } })).toBe(false)
    await rm(join(cache, 'models--owner--name', 'snapshots', COMMIT, 'model.safetensors'))
    expect(await isCached('hf:owner/name')).toBe(false)
  })

  it('needs to know the commit: else, and for other sources, a folder must be given', async () => {
    tellsCommit = false
    for (const source of ['hf:owner/name', 'modelscope:owner/name', 'models/tiny']) {
      await expect(downloadCheckpoint(source)).rejects.toMatchObject({ code: 'option.invalid' })
    }
  })
})
