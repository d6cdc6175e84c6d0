import { expose } from 'comlink'
import { isPacket, PING, PONG, ProcessChannel, READY } from './process-channel.js'

/** Lets the process that started this one call an object's methods. It ends when that one has gone. */
export function serveProcess(host: object): void {
  const send = (message: unknown) => void process.send?.(message)
  const channel = new ProcessChannel({ send }, 'child')
  process.on('message', (message) => {
    if (message === PING) send(PONG)
    else if (isPacket(message)) channel.receive(message)
  })
  process.on('disconnect', () => process.exit(0))
  // Ctrl-C goes to all processes of a terminal; who started this one ends its work in order, and then this.
  process.on('SIGINT', () => {})
  expose(host, channel)
  send(READY)
}
