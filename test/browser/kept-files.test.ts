/** What the service worker keeps: the files of the build, and nothing else that a server may answer. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fetchFile, isIntact, keyOf } from '../../demo/src/service-worker/kept-files.js'

const file = { path: 'a.js', hash: createHash('sha256').update('good').digest('hex').slice(0, 16) }

/** A server that answers one after another; the last for good. */
function serve(...answers: (string | number)[]) {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href)
    const answer = answers.length > 1 ? answers.shift()! : answers[0]
    return typeof answer === 'number'
      ? new Response('', { status: answer })
      : new Response(answer, { headers: { 'Content-Type': 'text/javascript' } })
  })
  return asked
}

describe('a kept file', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('is what the build made, with its type', async () => {
    expect(serve('good')).toEqual([])
    const response = await fetchFile(file, 'https://x.org/page/')
    expect([await response.text(), response.headers.get('Content-Type')]).toEqual(['good', 'text/javascript'])
    expect(keyOf(file, 'https://x.org/page/')).toBe(`https://x.org/page/a.js?${file.hash}`)
  })

  it('is fetched again when it comes damaged, or not at all', async () => {
    const asked = serve('<html>Sign in</html>', 503, 'good')
    expect(await (await fetchFile(file, 'https://x.org/')).text()).toBe('good')
    expect(asked).toHaveLength(3)
  })

  it.each([
    ['bad', 'a.js: it is not what the build made'],
    ['', 'a.js: it is not what the build made'],
    [404, 'a.js: the server answered 404'],
  ])('is given up, and said, where it stays wrong: %j', async (answer, message) => {
    const asked = serve(answer)
    await expect(fetchFile(file, 'https://x.org/')).rejects.toThrow(message)
    expect(asked).toHaveLength(3)
  })

  it('is fetched anew where the copy is damaged', async () => {
    expect(await isIntact(new Response('good'), file)).toBe(true)
    expect(await isIntact(new Response('goo'), file)).toBe(false)
  })
})
