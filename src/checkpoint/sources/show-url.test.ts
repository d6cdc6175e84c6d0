import { afterEach, describe, expect, test } from 'vitest'
import { openCheckpoint } from '../open-checkpoint.js'
import { openSink, openSource } from '../open-files.js'
import { keptUrl, showUrl } from './show-url.js'
import { closeServers, ranges, serve } from './testing.js'

afterEach(closeServers)

describe('an address in a message', () => {
  test.each([
    ['https://user:pass@example.org/a/b', 'https://example.org/a/b'],
    ['https://p@ss:w@rd@example.org/a@b', 'https://example.org/a@b'],
    ['https://example.org/a?token=abc&x=1', 'https://example.org/a?token=…&x=…'],
    ['https://example.org/a?abc#secret', 'https://example.org/a?…#…'],
    ['hf:owner/name@main', 'hf:owner/name@main'],
    ['models/a?b=c', 'models/a?b=c'],
  ])('%s is %s', (address, shown) => {
    expect(showUrl(address)).toBe(shown)
  })

  test('is kept without anything that may be a secret', () => {
    expect(keptUrl('https://user:pass@example.org/a/?token=abc#x')).toBe('https://example.org/a/')
    expect(keptUrl(new URL('https://example.org/a;b?c'))).toBe('https://example.org/a;b')
    expect(keptUrl('models/a?token=abc')).toBe('models/a')
    expect(keptUrl('hf:owner/name@main')).toBe('hf:owner/name@main')
  })

  test('has no secret, whatever goes wrong', async () => {
    const dead = await serve(() => {})
    closeServers()
    const whole = await serve((_, response) => response.end(new Uint8Array(20_000_000)))
    const refused = await serve((_, response) => response.writeHead(401).end())
    const gone = await serve(ranges({}))
    const hidden = await serve((_, response) => response.writeHead(206).end('x'))
    const secret = (url: string) => `${url.replace('//', '//user:hunter2@')}model.safetensors?token=hunter2`
    for (const url of [dead, whole, refused, gone, hidden].map(secret)) {
      const error = await openCheckpoint(url).catch((error: unknown) => error as Error)
      expect(error).toBeInstanceOf(Error)
      expect(`${error}`).not.toContain('hunter2')
      expect((await openSource(url)).name).not.toContain('hunter2')
    }
    for (const opening of [openSink(secret(dead)), openSource('https://user:hunter2@:x/?hunter2')]) {
      const error = await opening.catch((error: unknown) => error as Error)
      expect(`${error}`).not.toContain('hunter2')
    }
  })
})
