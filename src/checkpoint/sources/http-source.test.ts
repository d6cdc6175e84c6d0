import { afterEach, describe, expect, test } from 'vitest'
import { openCheckpoint } from '../open-checkpoint.js'
import { openSource } from '../open-files.js'
import { fixture, floats, json, safetensorsFile, utf8 } from '../testing.js'
import { HttpSource } from './http-source.js'
import { closeServers, type Handler, rangeOf, ranges, serve } from './testing.js'

afterEach(closeServers)

const model = () => safetensorsFile([{ name: 'a', dtype: 'F32', shape: [3], bytes: floats(1, 2, 3) }])

describe('a checkpoint behind a URL', () => {
  test('opens, and reads tensors by ranges', async () => {
    const config = json({ num_layers: 1 })
    const url = await serve(ranges({ 'm/model.safetensors': model(), 'm/config.json': config }))
    for (const address of [`${url}m`, `${url}m/`, `${url}m/model.safetensors`]) {
      const checkpoint = await openCheckpoint(address)
      expect(checkpoint.config).toEqual({ num_layers: 1 })
      expect(await checkpoint.readRange('a', 4, 12)).toEqual(floats(2, 3))
    }
  })

  test('may be a torch file', async () => {
    const url = await serve(ranges({ 'pytorch_model.bin': await fixture('state_dict.bin') }))
    expect(await (await openCheckpoint(url)).read('linear.bias')).toEqual(floats(0.5, -0.5))
  })

  test('is found by hf: and modelscope: names, on the hub or a mirror', async () => {
    const file = model()
    const url = await serve(
      ranges({
        'THUDM/chatglm3-6b/resolve/main/model.safetensors': file,
        'models/ZhipuAI/chatglm3-6b/resolve/master/model.safetensors': file,
      }),
    )
    const endpoints = { hf: url, modelscope: url.slice(0, -1) }
    expect((await openCheckpoint('hf:THUDM/chatglm3-6b', { endpoints })).tensors.size).toBe(1)
    expect((await openCheckpoint('modelscope:ZhipuAI/chatglm3-6b', { endpoints })).tensors.size).toBe(1)
    expect((await openSource('hf:a/b')).name).toBe('https://huggingface.co/a/b/resolve/main/')
    expect((await openSource('modelscope:a/b')).name).toBe('https://modelscope.cn/models/a/b/resolve/master/')
    for (const name of ['hf:chatglm3-6b', 'hf:a/b/c', 'hf:../b', 'hf:a/..', 'hf:']) {
      await expect(openSource(name)).rejects.toThrow(/owner\/name/)
    }
  })

  test('lists the files that its index names', async () => {
    const index = json({ weight_map: { a: 'x-1.safetensors', b: 'x-2.safetensors' } })
    const url = await serve(ranges({ 'model.safetensors.index.json': index, 'tokenizer.model': utf8('t') }))
    expect(await new HttpSource(new URL(url)).list()).toEqual([
      'model.safetensors.index.json',
      'tokenizer.model',
      'x-1.safetensors',
      'x-2.safetensors',
    ])
  })

  test('is asked with its query, and with escaped names', async () => {
    const asked: string[] = []
    const url = await serve((request, response) => {
      asked.push(request.url!)
      ranges({ 'm/a b#?.bin': utf8('hello') })(request, response)
    })
    const source = new HttpSource(new URL(`${url}m?token=1`))
    expect(await source.read('a b#?.bin', 1, 3)).toEqual(utf8('el'))
    expect(new Set(asked)).toEqual(new Set(['/m/a%20b%23%3F.bin?token=1']))
    await expect(source.has('../secret')).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
  })
})

describe('a missing file', () => {
  test('is absent for 404 and 403, and an error where it is needed', async () => {
    for (const status of [404, 403, 410]) {
      const source = new HttpSource(new URL(await serve((_, response) => response.writeHead(status).end())))
      expect(await source.has('x')).toBe(false)
      await expect(source.size('x')).rejects.toMatchObject({ code: 'source.failed' })
      await expect(source.read('x', 0, 1)).rejects.toThrow(/no file at .*\/x/)
    }
  })

  test('is an error for 401, which says that a permission lacks', async () => {
    const source = new HttpSource(new URL(await serve((_, response) => response.writeHead(401).end())))
    await expect(source.has('x')).rejects.toThrow(/401.*permission/)
  })

  test('has size 0 where it is empty', async () => {
    const source = new HttpSource(new URL(await serve(ranges({ x: new Uint8Array(0) }))))
    expect(await source.size('x')).toBe(0)
    expect((await source.read('x', 0, 0)).byteLength).toBe(0)
    await expect(source.read('x', 0, 1)).rejects.toMatchObject({ code: 'checkpoint.truncated' })
  })
})

describe('a server that ignores ranges', () => {
  const whole =
    (bytes: number): Handler =>
    (_, response) => {
      response.writeHead(200)
      const chunk = new Uint8Array(1024 * 1024).fill(7)
      let left = bytes
      const send = () => {
        if (response.destroyed) return
        if (left <= 0) response.end()
        else {
          const part = chunk.subarray(0, Math.min(left, chunk.byteLength))
          left -= part.byteLength
          response.write(part, send)
        }
      }
      send()
    }

  test('gives small files all the same', async () => {
    const source = new HttpSource(new URL(await serve(whole(3_000_000))))
    expect(await source.size('tokenizer.model')).toBe(3_000_000)
    expect(await source.read('tokenizer.model', 2_999_998, 3_000_000)).toEqual(Uint8Array.of(7, 7))
  })

  test('is refused for weights, without downloading them', async () => {
    const source = new HttpSource(new URL(await serve(whole(1e12))))
    await expect(source.size('model.safetensors')).rejects.toMatchObject({ code: 'source.failed' })
    await expect(source.size('model.safetensors')).rejects.toThrow(/ignores range requests/)
  })
})

describe('a server that fails', () => {
  test('now and then, is asked again, from where it broke', async () => {
    const file = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
    const asked: number[] = []
    let requests = 0
    const url = await serve((request, response) => {
      const range = rangeOf(request)!
      requests++
      if (requests === 1) return void response.writeHead(503).end()
      if (range[1] > 0) asked.push(range[0])
      if (asked.length === 1 && range[1] > 0) {
        const headers = { 'Content-Range': `bytes 0-299999/300000`, 'Content-Length': '300000' }
        response.writeHead(206, headers)
        return void response.write(file.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50))
      }
      ranges({ x: file })(request, response)
    })
    const source = new HttpSource(new URL(url))
    expect(Buffer.from(await source.read('x', 0, 300_000)).equals(file)).toBe(true)
    expect(asked).toEqual([0, 100_000])
  })

  test('by cutting every body at the same place, ends in an error with the place', async () => {
    const url = await serve((request, response) => {
      const [start, last] = rangeOf(request)!
      response.writeHead(206, {
        'Content-Range': `bytes ${start}-${last}/1000`,
        'Content-Length': last - start + 1,
      })
      if (last === 0) return void response.end(utf8('x'))
      response.write(new Uint8Array(Math.max(0, 600 - start)), () => setTimeout(() => response.destroy(), 20))
    })
    const read = new HttpSource(new URL(url)).read('x', 0, 1000)
    await expect(read).rejects.toMatchObject({ code: 'checkpoint.truncated' })
    await expect(read).rejects.toThrow(/at byte 600/)
  })

  test('by ending a body early without a length, ends in the same error', async () => {
    const url = await serve((request, response) => {
      const [start, last] = rangeOf(request)!
      response.writeHead(206, { 'Content-Range': `bytes ${start}-${last}/1000` })
      response.end(new Uint8Array(last === 0 ? 1 : Math.max(0, 600 - start)))
    })
    await expect(new HttpSource(new URL(url)).read('x', 0, 1000)).rejects.toMatchObject({
      code: 'checkpoint.truncated',
    })
  })

  test('by being away, ends in an error that names the address', async () => {
    const url = await serve(() => {})
    closeServers()
    await expect(new HttpSource(new URL(url)).has('x')).rejects.toMatchObject({ code: 'source.failed' })
    await expect(new HttpSource(new URL(url)).has('x')).rejects.toThrow(/127\.0\.0\.1.*Check the network/)
  })

  test('by sending another range, or a file that changed, is not believed', async () => {
    const contentRanges = ['bytes 0-9/1000', 'bytes 100-109/2000']
    for (const contentRange of contentRanges) {
      const url = await serve((request, response) => {
        const probe = rangeOf(request)![1] === 0
        response.writeHead(206, { 'Content-Range': probe ? 'bytes 0-0/1000' : contentRange })
        response.end(new Uint8Array(probe ? 1 : 10))
      })
      await expect(new HttpSource(new URL(url)).read('x', 100, 110)).rejects.toThrow(/another part/)
    }
  })

  test('to tell the size, where Content-Range is hidden, is asked by HEAD', async () => {
    const url = await serve((request, response) => {
      if (request.method === 'HEAD') return void response.writeHead(200, { 'Content-Length': 5 }).end()
      const [start, last] = rangeOf(request)!
      response.writeHead(206).end(utf8('hello').subarray(start, last + 1))
    })
    const source = new HttpSource(new URL(url))
    expect(await source.size('x')).toBe(5)
    expect(await source.read('x', 1, 3)).toEqual(utf8('el'))
  })

  test('to answer, is left when the signal is aborted', async () => {
    const url = await serve((request, response) => {
      if (rangeOf(request)![1] === 0) response.writeHead(206, { 'Content-Range': 'bytes 0-0/1000' }).end('x')
    })
    const abort = new AbortController()
    const reason = new Error('enough')
    const read = new HttpSource(new URL(url)).read('x', 0, 1000, abort.signal)
    setTimeout(() => abort.abort(reason), 50)
    await expect(read).rejects.toBe(reason)
  })
})
