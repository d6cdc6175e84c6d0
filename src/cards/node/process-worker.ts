import { type ChildProcess, spawn } from 'node:child_process'
import { processFailed } from '../errors.js'
import type { ChosenCard } from './choose-cards.js'
import { isPacket, PING, PONG, ProcessChannel, READY } from './process-channel.js'

/** How long a process may take to start: Node, and a driver that wakes up. */
const START_MS = 60_000
/** How long it may be silent when asked for a sign of life. */
const STALL_MS = 60_000
const ASK_MS = 5_000
/** Of what it writes to stderr, the end is kept for messages. */
const KEPT_CHARACTERS = 2_000

/** Milliseconds. */
export interface ProcessTimes {
  /** How long a process may be silent. */
  readonly stall?: number
  /** How often it is asked for a sign of life. */
  readonly ask?: number
}

/**
 * A process that works for this one, in the shape of a Web Worker: it takes messages, gives messages, and has an `error`
 * event, once, when it ends by itself, does not answer signs of life, or says something that is no message.
 */
export class ProcessWorker extends ProcessChannel {
  readonly label: string
  readonly pid: number | undefined
  readonly #child: ChildProcess
  readonly #times: Required<ProcessTimes>
  #watch: NodeJS.Timeout | undefined
  readonly #ready: Promise<void>
  /** Signs of life asked for since the last message: this process may itself be too busy to hear any. */
  #unanswered = 0
  #written = ''
  #ended = false
  #begin: (problem?: string) => void = () => {}

  private constructor(card: ChosenCard, script: string, { stall = STALL_MS, ask = ASK_MS }: ProcessTimes) {
    const [program, ...args] = [...card.launcher, process.execPath, ...process.execArgv, script]
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    super({ send: (packet) => this.#send(packet) }, 'parent')
    this.label = card.label
    this.pid = child.pid
    this.#child = child
    this.#times = { stall, ask }
    this.#ready = new Promise((resolve, reject) => {
      this.#begin = (problem) =>
        problem === undefined ? resolve() : reject(processFailed(card.label, problem))
    })
    child.on('message', (message) => this.#take(message))
    child.on('error', ({ message }) => this.#fail(message))
    child.on('exit', (code, signal) =>
      this.#fail(signal ? `it was ended by ${signal}` : `it ended with code ${code}`),
    )
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#written = (this.#written + text).slice(-KEPT_CHARACTERS)
    })
  }

  /**
   * Starts a process on a card.
   * @param script a module that runs `serveProcess`
   * @throws `device.worker-failed`
   */
  static async start(card: ChosenCard, script: string, times: ProcessTimes = {}): Promise<ProcessWorker> {
    const worker = new ProcessWorker(card, script, times)
    const timer = setTimeout(() => worker.#fail(`it did not start within ${START_MS / 1000} s`), START_MS)
    try {
      await worker.#ready
      return worker
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the process at once. */
  terminate(): void {
    if (this.#ended) return
    this.#end()
  }

  #take(message: unknown): void {
    this.#unanswered = 0
    if (message === READY) this.#listen()
    else if (message === PONG) return
    else if (isPacket(message)) this.receive(message)
    else this.#fail('it sent something that is no message')
  }

  #listen(): void {
    const { stall, ask } = this.#times
    this.#watch = setInterval(() => {
      if (this.#unanswered * ask >= stall) this.#fail(`it did not answer for ${stall / 1000} s`)
      this.#unanswered++
      this.#send(PING)
    }, ask)
    this.#watch.unref()
    this.#begin()
  }

  #send(message: unknown): void {
    if (this.#ended) return
    // What cannot be sent any more is lost with the process, whose end is heard of by itself.
    this.#child.send(message as object, () => {})
  }

  #fail(problem: string): void {
    if (this.#ended) return
    this.#end()
    const written = this.#written.trim()
    const message = written ? `${problem}; it wrote: ${written}` : problem
    this.#begin(message)
    const error = processFailed(this.label, message)
    this.dispatchEvent(Object.assign(new Event('error'), { message, error }))
  }

  #end(): void {
    this.#ended = true
    clearInterval(this.#watch)
    this.close()
    this.#child.kill('SIGKILL')
  }
}
