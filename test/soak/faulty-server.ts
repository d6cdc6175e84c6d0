import type { IncomingMessage, ServerResponse } from 'node:http'
import { closeServers, ranges, serve } from '../../src/checkpoint/sources/testing.js'
import type { Random } from '../../tools/tiny/random.js'

/** What a server does wrong: it says nothing, hangs up, is busy, stops in a body, cuts it, or drips. */
const FAULTS = ['silent', 'hang-up', '429', '503', 'stop', 'cut', 'drip'] as const

/** In a row; a read is given up after three that bring nothing. */
const MOST_FAULTS = 2

/** A server of files that does about half of what it is asked wrong, but never three times in a row. */
export async function faultyServer(
  files: Readonly<Record<string, Uint8Array>>,
  random: Random,
): Promise<{ url: string; close: () => void }> {
  const serveFile = ranges(files)
  let inARow = 0
  const url = await serve((request, response) => {
    // A connection that is kept may end between two requests, which would be a fault more.
    response.setHeader('Connection', 'close')
    if (inARow === MOST_FAULTS || random.chance(0.5)) {
      inARow = 0
      return serveFile(request, response)
    }
    inARow++
    fail(random.pick(FAULTS), request, response, serveFile)
  })
  return { url, close: closeServers }
}

function fail(
  fault: (typeof FAULTS)[number],
  request: IncomingMessage,
  response: ServerResponse,
  serveFile: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  if (fault === 'silent') return
  if (fault === 'hang-up') return void request.socket.destroy()
  if (fault === '429' || fault === '503') {
    return void response.writeHead(Number(fault), { 'Retry-After': '0' }).end('busy')
  }
  // The head and a part of the body are as they should be.
  const end = response.end.bind(response)
  response.end = ((body?: Uint8Array) => {
    if (body === undefined || body.byteLength < 2) return end(body)
    const half = body.subarray(0, body.byteLength >> 1)
    if (fault === 'drip') {
      response.write(half)
      setTimeout(() => end(body.subarray(half.byteLength)), 20)
    } else if (fault === 'cut') response.write(half, () => request.socket.destroy())
    else response.write(half)
    return response
  }) as typeof response.end
  serveFile(request, response)
}
