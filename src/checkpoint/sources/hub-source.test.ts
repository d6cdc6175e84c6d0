import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { listCheckpoint } from '../listing.js'
import { HubSource } from './hub-source.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  vi.unstubAllEnvs()
})

/** A hub whose answers are given by path and query. @returns its address, and what it was asked */
async function hub(
  answers: Record<string, unknown>,
): Promise<{ url: string; asked: string[]; tokens: (string | undefined)[] }> {
  const asked: string[] = []
  const tokens: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    tokens.push(request.headers.authorization)
    const answer = answers[request.url!]
    if (answer === undefined) return void response.writeHead(404).end()
    const body = typeof answer === 'string' ? answer : JSON.stringify(answer)
    if (!request.headers.range) return void response.writeHead(200).end(body)
    response.writeHead(206, { 'Content-Range': `bytes 0-0/${body.length}` }).end(body[0])
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, tokens }
}

const SHA = 'ab'.repeat(32)

describe('a repository of a hub', () => {
  test('lists its files, and knows the SHA-256 of the large ones', async () => {
    const { url } = await hub({
      '/api/models/a/b/tree/main?recursive=true': [
        { type: 'directory', path: 'sub' },
        { type: 'file', path: 'config.json', size: 2 },
        { type: 'file', path: 'model.safetensors', size: 5, lfs: { oid: SHA, size: 5 } },
      ],
      '/a/b/resolve/main/model.safetensors': 'bytes',
      '/a/b/resolve/main/config.json': '{}',
    })
    const source = HubSource.parse('hf:a/b', { hf: url })!
    expect(await source.list()).toEqual(['config.json', 'model.safetensors'])
    expect(await listCheckpoint(source)).toEqual([
      { path: 'config.json', size: 2 },
      { path: 'model.safetensors', size: 5, sha256: SHA },
    ])
  })

  test('is read from the mirror of the environment, with the token of the environment', async () => {
    const { url, tokens } = await hub({
      '/api/models/a/b/tree/main?recursive=true': [{ type: 'file', path: 'config.json', size: 2 }],
      '/a/b/resolve/main/config.json': '{}',
    })
    vi.stubEnv('HF_ENDPOINT', `${url}/`)
    vi.stubEnv('HF_TOKEN', 'hf_secret')
    const source = HubSource.parse('hf:a/b')!
    expect(await source.list()).toEqual(['config.json'])
    expect(await source.has('config.json')).toBe(true)
    expect(new Set(tokens)).toEqual(new Set(['Bearer hf_secret']))
    expect(source.name).not.toContain('secret')
  })

  test('gives the token to the hub of the environment alone', async () => {
    const other = await hub({ '/a/b/resolve/main/x.bin': 'bytes' })
    vi.stubEnv('HF_TOKEN', 'hf_secret')
    expect(await HubSource.parse('hf:a/b', { hf: other.url })!.has('x.bin')).toBe(true)
    vi.stubEnv('MODELSCOPE_DOMAIN', other.url)
    await HubSource.parse('modelscope:a/b')!.has('x.bin')
    expect(other.asked).toContain('/models/a/b/resolve/master/x.bin')
    expect(new Set(other.tokens)).toEqual(new Set([undefined]))
  })

  test('says what to set in the environment where it cannot be reached', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1')
    vi.stubEnv('HTTPS_PROXY', 'http://proxy')
    vi.stubEnv('NODE_USE_ENV_PROXY', '')
    const asking = HubSource.parse('hf:a/b')!.has('x.bin')
    await expect(asking).rejects.toThrow(/HTTPS_PROXY is set.*HF_ENDPOINT/)
    await expect(asking).rejects.not.toThrow('CORS')
  })

  test('of ModelScope is asked its own way', async () => {
    const Files = [{ Type: 'blob', Path: 'model.safetensors', Size: 5, Sha256: SHA }]
    const { url } = await hub({
      '/api/v1/models/a/b/repo/files?Revision=v1.0&Recursive=true': { Code: 200, Data: { Files } },
    })
    const source = HubSource.parse('modelscope:a/b@v1.0', { modelscope: `${url}/` })!
    expect(source.name).toBe(`${url}/models/a/b/resolve/v1.0/`)
    expect(await source.hashes()).toEqual(new Map([['model.safetensors', { size: 5, sha256: SHA }]]))
  })

  test('is read from a mirror that lists nothing', async () => {
    const { url } = await hub({ '/a/b/resolve/refs%2Fpr%2F1/model.safetensors': 'bytes' })
    const source = HubSource.parse('hf:a/b@refs/pr/1', { hf: url })!
    expect(await listCheckpoint(source)).toEqual([{ path: 'model.safetensors', size: 5 }])
  })

  test('is refused where the id names none', () => {
    for (const id of ['hf:a', 'hf:a/b@', 'hf:a/b@../c', 'hf:a/..', 'modelscope:']) {
      expect(() => HubSource.parse(id)).toThrow(expect.objectContaining({ code: 'source.not-found' }))
    }
    expect(HubSource.parse('https://example.com/')).toBeUndefined()
  })
})
