import { afterEach, describe, expect, test } from 'vitest'
import { SourceError } from '../../errors/index.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { openSource } from '../open-files.js'
import { utf8 } from '../testing.js'
import { HttpSource } from './http-source.js'
import { closeServers, type Handler, rangeOf, ranges, serve } from './testing.js'

afterEach(closeServers)

const STALL = 150
const file = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251)
const open = (url: string) => new HttpSource(new URL(url), { stallTimeout: STALL })

/** Answers a size, and everything else by a handler. */
const sized =
  (handler: Handler): Handler =>
  (request, response) => {
    if (rangeOf(request)?.[1] === 0) ranges({ x: file })(request, response)
    else handler(request, response)
  }

describe('a server that is silent', () => {
  test('when it is asked for a size, is given up', async () => {
    let requests = 0
    const url = await serve(() => void requests++)
    await expect(open(url).size('x')).rejects.toThrow(/failed 3 times .*nothing came for 0.15 s/)
    expect(requests).toBe(3)
  })

  test('when it is asked for a range, is given up', async () => {
    const url = await serve(sized(() => {}))
    await expect(open(url).read('x', 0, 1000)).rejects.toThrow(SourceError)
  })

  test('in the middle of a body, is asked for the rest', async () => {
    let requests = 0
    const url = await serve(
      sized((request, response) => {
        if (requests++ > 0) return ranges({ x: file })(request, response)
        response.writeHead(206, { 'Content-Range': 'bytes 0-199999/200000', 'Content-Length': 200_000 })
        response.write(file.subarray(0, 100_000))
      }),
    )
    expect(Buffer.from(await open(url).read('x', 0, 200_000)).equals(file)).toBe(true)
    expect(requests).toBe(2)
  })

  test('in the middle of every body, is given up', async () => {
    const url = await serve(
      sized((request, response) => {
        const [start, last] = rangeOf(request)!
        response.writeHead(206, { 'Content-Range': `bytes ${start}-${last}/200000` })
        response.write(file.subarray(start, start + 10))
      }),
    )
    await expect(open(url).read('x', 0, 200_000)).rejects.toThrow(/failed 3 times at byte 30: nothing came/)
  })

  test('but for a byte now and then, is given up', async () => {
    const url = await serve(
      sized((request, response) => {
        const [start, last] = rangeOf(request)!
        response.writeHead(206, { 'Content-Range': `bytes ${start}-${last}/200000` })
        const timer = setInterval(() => response.write('x'), STALL / 5)
        response.on('close', () => clearInterval(timer))
      }),
    )
    await expect(open(url).read('x', 0, 200_000)).rejects.toThrow(/nothing came for 0.15 s/)
  })

  test('after ten bytes of each answer, is given up', async () => {
    const url = await serve(
      sized((request, response) => {
        const [start, last] = rangeOf(request)!
        response.writeHead(206, { 'Content-Range': `bytes ${start}-${last}/200000` })
        response.end(file.subarray(start, start + 10))
      }),
    )
    await expect(open(url).read('x', 0, 200_000)).rejects.toThrow(
      /at byte 30: the server's answer ends there/,
    )
  })

  test('in a whole file that it sends instead of a range, is given up', async () => {
    const url = await serve((_, response) => void response.writeHead(200).write('abc'))
    await expect(open(url).size('x')).rejects.toThrow(/nothing came/)
  })

  test('when a hub is asked for its files, is no hub that lists', async () => {
    const handler = ranges({ 'a/b/resolve/main/tokenizer.model': utf8('t') })
    const url = await serve(
      (request, response) => request.url!.startsWith('/api') || handler(request, response),
    )
    const source = await openSource('hf:a/b', { endpoints: { hf: url }, stallTimeout: STALL })
    expect(await source.list()).toEqual(['tokenizer.model'])
  })

  test('does not take the time of whoever works on what came', async () => {
    const url = await serve(ranges({ x: file }))
    let length = 0
    for await (const chunk of open(url).stream('x', 0, 200_000)) {
      length += chunk.byteLength
      if (length < 100_000) await new Promise((resolve) => setTimeout(resolve, STALL * 1.5))
    }
    expect(length).toBe(200_000)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'for %s ms, is no option',
    async (stallTimeout) => {
      await expect(openSource('hf:a/b', { stallTimeout })).rejects.toThrow(/Option stallTimeout/)
    },
  )
})

describe('an abort', () => {
  const silent = () => serve(() => {})
  const soon = () => {
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 50)
    return abort.signal
  }

  test('ends every wait', async () => {
    const url = await silent()
    const source = () => new HttpSource(new URL(url))
    const hub = await openSource('hf:a/b', { endpoints: { hf: url } })
    for (const wait of [
      (signal: AbortSignal) => source().has('x', signal),
      (signal: AbortSignal) => source().size('x', signal),
      (signal: AbortSignal) => source().list(signal),
      (signal: AbortSignal) => source().read('x', 0, 1, signal),
      (signal: AbortSignal) => hub.list(signal),
      (signal: AbortSignal) => hub.hashes!(signal),
      (signal: AbortSignal) => openCheckpoint(url, { signal }),
    ]) {
      await expect(wait(soon())).rejects.toThrow('enough')
    }
  })

  test('of one caller leaves another that waits for the same, and whoever comes later', async () => {
    let answer = () => {}
    const url = await serve((request, response) => {
      answer = () => ranges({ x: file })(request, response)
    })
    const source = new HttpSource(new URL(url))
    const other = source.size('x')
    await expect(source.size('x', soon())).rejects.toThrow('enough')
    answer()
    expect(await other).toBe(200_000)
    await expect(source.size('y', soon())).rejects.toThrow('enough')
    const later = source.size('x')
    expect(await later).toBe(200_000)
  })

  test('ends the pause before the next attempt', async () => {
    const url = await serve((_, response) => response.writeHead(429, { 'Retry-After': '60' }).end())
    await expect(open(url).size('x', soon())).rejects.toThrow('enough')
  })
})

describe('a server that is busy', () => {
  test.each([429, 503])('with %s, is asked again when it says', async (status) => {
    const times: number[] = []
    const url = await serve((request, response) => {
      times.push(performance.now())
      if (times.length === 1) response.writeHead(status, { 'Retry-After': '1' }).end()
      else ranges({ x: file })(request, response)
    })
    expect(await open(url).size('x')).toBe(200_000)
    expect(times[1]! - times[0]!).toBeGreaterThan(900)
  })

  test('more often than a connection may break, is asked on, and at a date', async () => {
    let requests = 0
    const past = new Date(Date.now() - 10_000).toUTCString()
    const url = await serve((request, response) => {
      if (++requests <= 6) response.writeHead(503, { 'Retry-After': requests % 2 ? past : '0' }).end()
      else ranges({ x: file })(request, response)
    })
    expect(await open(url).size('x')).toBe(200_000)
  })

  test('without an end, or for longer than anybody waits, is given up', async () => {
    const always = await serve((_, response) => response.writeHead(429, { 'Retry-After': '0' }).end())
    await expect(open(always).size('x')).rejects.toThrow(/failed 9 times .*answered 429/)
    const long = await serve((_, response) => response.writeHead(503, { 'Retry-After': '3600' }).end())
    await expect(open(long).size('x')).rejects.toThrow(/in 60 minutes/)
  })

  test('with the listing of a hub, is asked again', async () => {
    let requests = 0
    const url = await serve((_, response) => {
      if (++requests === 1) response.writeHead(429, { 'Retry-After': '0' }).end()
      else response.end(JSON.stringify([{ type: 'file', path: 'a.bin', size: 1 }]))
    })
    expect(await (await openSource('hf:a/b', { endpoints: { hf: url } })).list()).toEqual(['a.bin'])
  })
})

describe('a file that changes on the server', () => {
  const versions = (header: string, first: string, second: string): Handler => {
    let requests = 0
    return (request, response) => {
      response.setHeader(header, requests++ < 2 ? first : second)
      ranges({ x: file })(request, response)
    }
  }

  test.each([
    ['ETag', '"a"', '"b"'],
    ['ETag', 'W/"a"', 'W/"b"'],
    ['Last-Modified', 'Sat, 28 Nov 2026 10:00:00 GMT', 'Sat, 28 Nov 2026 10:00:01 GMT'],
  ])('by its %s %s, is an error that names it, and is read anew after that', async (...headers) => {
    const source = open(await serve(versions(...headers)))
    expect((await source.read('x', 0, 10)).byteLength).toBe(10)
    await expect(source.read('x', 10, 20)).rejects.toThrow(SourceError)
    expect((await source.read('x', 10, 20)).byteLength).toBe(10)
    const again = open(await serve(versions(...headers)))
    await again.read('x', 0, 10)
    await expect(again.read('x', 10, 20)).rejects.toThrow(/127\.0\.0\.1:\d+\/x changed on the server/)
  })

  test('by having become shorter, is such an error', async () => {
    let length = 200_000
    const url = await serve((request, response) => ranges({ x: file.subarray(0, length) })(request, response))
    const source = open(url)
    await source.size('x')
    length = 100
    await expect(source.read('x', 1000, 1010)).rejects.toThrow(/changed on the server/)
  })

  test('by the strength of its tag alone, has not changed', async () => {
    const source = open(await serve(versions('ETag', '"a"', 'W/"a"')))
    await source.read('x', 0, 10)
    expect((await source.read('x', 10, 20)).byteLength).toBe(10)
  })
})
