import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { EventStream } from './event-stream.js'
import { until } from './testing/serve.js'

describe('a stream to a reader who takes nothing', () => {
  it('waits, and is left after a while', async () => {
    const app = fastify()
    let sent = 0
    let failure: unknown
    app.get('/', async (_, reply) => {
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort(new Error('gone')))
      const events = new EventStream(reply, { ping: 50, stall: 300 }, gone.signal)
      try {
        // More than the buffers between take.
        for (; sent < 1000; sent++) await events.send('x'.repeat(100_000))
      } catch (error) {
        failure = error
        events.fail({})
      }
      return reply
    })
    await app.listen({ port: 0 })
    const socket = connect((app.server.address() as AddressInfo).port)
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => failure !== undefined, 10_000)
    expect(sent).toBeLessThan(1000)
    expect(failure).toMatchObject({ name: 'AbortError' })
    socket.destroy()
    await app.close()
  })
})
