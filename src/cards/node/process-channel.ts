/**
 * Messages between a process and one it started, as comlink wants them: like those of a Worker. What structured cloning
 * carries goes through `node:child_process` as it is; ports, which it does not carry, get numbers, and their messages go the
 * same way.
 */
import { MessageChannel, MessagePort } from 'node:worker_threads'

/** What both ends say beside packets: that a process has begun to listen, and signs of life. */
export const READY = 'chatglm-webgpu: ready'
export const PING = 'chatglm-webgpu: ping'
export const PONG = 'chatglm-webgpu: pong'

/** One end of the way: the process that was started there, this process in it. */
export interface Carrier {
  send(packet: Packet): void
}

/** A message of the main port, 0, or of another; or the news that a port is closed. */
export type Packet =
  | { readonly port: number; readonly data: unknown }
  | { readonly port: number; readonly closed: true }

/** What stands for a port in a message. */
const PORT = 'chatglm-webgpu: port'

/** Whether something that came from another process is a packet. */
export function isPacket(value: unknown): value is Packet {
  return typeof value === 'object' && value !== null && Number.isSafeInteger((value as Packet).port)
}

/** Copies lists and plain objects where something in them is changed; all else stays as it is. */
function mapValues(value: unknown, map: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const mapped = map(value)
  if (mapped !== value) return mapped
  if (Array.isArray(value)) return value.map((item) => mapValues(item, map))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapValues(item, map)]))
}

/** One end of the channel: a Worker to who posts to it, and the scope of a worker to who listens in the other process. */
export class ProcessChannel extends EventTarget {
  readonly #carrier: Carrier
  readonly #ports = new Map<number, MessagePort>()
  #nextPort: number

  /** @param side the two ends give their ports numbers that differ */
  constructor(carrier: Carrier, side: 'parent' | 'child') {
    super()
    this.#carrier = carrier
    this.#nextPort = side === 'parent' ? 1 : 2
  }

  /** Sends a message; ports in it are handed over, all else is copied. */
  postMessage(data: unknown): void {
    this.#send(0, data)
  }

  /** Takes in what came from the other process. */
  receive(packet: Packet): void {
    if ('closed' in packet) {
      this.#ports.get(packet.port)?.close()
      this.#ports.delete(packet.port)
      return
    }
    const data = mapValues(packet.data, (value) => (PORT in value ? this.#open(Number(value[PORT])) : value))
    if (packet.port === 0) this.dispatchEvent(Object.assign(new Event('message'), { data }))
    else this.#ports.get(packet.port)?.postMessage(data)
  }

  /** Closes all ports: the other process is gone. */
  close(): void {
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
  }

  #send(port: number, data: unknown): void {
    const packed = mapValues(data, (value) => {
      if (!(value instanceof MessagePort)) return value
      const number = this.#nextPort
      this.#nextPort += 2
      this.#bridge(number, value)
      return { [PORT]: number }
    })
    this.#carrier.send({ port, data: packed })
  }

  /** A port for who listens here, whose other end is in the other process. */
  #open(number: number): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#bridge(number, port1)
    return port2
  }

  #bridge(number: number, port: MessagePort): void {
    this.#ports.set(number, port)
    port.on('message', (data) => this.#send(number, data))
    port.on('close', () => {
      if (this.#ports.delete(number)) this.#carrier.send({ port: number, closed: true })
    })
    // A port that nobody closes must not keep the program running.
    port.unref()
  }
}
