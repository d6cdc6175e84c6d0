import { expose, proxy, releaseProxy, transfer, wrap } from 'comlink'
import { expect, it } from 'vitest'
import { type Packet, ProcessChannel } from './process-channel.js'

/** Two ends of a way that copies, as the one between processes does. */
function ends(): [ProcessChannel, ProcessChannel, Packet[]] {
  const sent: Packet[] = []
  const way = (to: () => ProcessChannel) => ({
    send(packet: Packet) {
      const copy = structuredClone(packet)
      sent.push(copy)
      queueMicrotask(() => to().receive(copy))
    },
  })
  const parent: ProcessChannel = new ProcessChannel(
    way(() => child),
    'parent',
  )
  const child: ProcessChannel = new ProcessChannel(
    way(() => parent),
    'child',
  )
  return [parent, child, sent]
}

class Host {
  add(a: number, b: number): number {
    return a + b
  }
  async count(to: number, tell: (value: number) => Promise<void>): Promise<string> {
    for (let i = 1; i <= to; i++) await tell(i)
    ;(tell as Partial<Record<typeof releaseProxy, () => void>>)[releaseProxy]?.()
    return 'counted'
  }
  floats(): Float32Array {
    const values = new Float32Array([1, 2, 3])
    return transfer(values, [values.buffer])
  }
  async ask(port: MessagePort): Promise<string> {
    const remote = wrap<{ name(): string }>(port)
    return remote.name()
  }
}

it('carries calls, their values, and typed arrays', async () => {
  const [parent, child] = ends()
  expose(new Host(), child)
  const host = wrap<Host>(parent)
  expect(await host.add(2, 3)).toBe(5)
  expect(await host.floats()).toEqual(new Float32Array([1, 2, 3]))
})

it('carries callbacks, and ports within what is sent', async () => {
  const [parent, child, sent] = ends()
  expose(new Host(), child)
  const host = wrap<Host>(parent)
  const told: number[] = []
  const counting = host.count(
    3,
    proxy(async (value: number) => void told.push(value)),
  )
  expect(await counting).toBe('counted')
  expect(told).toEqual([1, 2, 3])
  const { port1, port2 } = new MessageChannel()
  expose({ name: () => 'parent' }, port1)
  expect(await host.ask(transfer(port2, [port2]))).toBe('parent')
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(sent.filter((packet) => 'closed' in packet).length).toBeGreaterThan(0)
})
