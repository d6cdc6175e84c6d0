import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { InterruptedError } from './errors.js'
import type { InputStream, OutputStream } from './io.js'

/** What the user did at a prompt: entered a text, pressed Ctrl-C on an empty line, or ended the input (Ctrl-D). */
export type Entry = { kind: 'text'; text: string } | { kind: 'interrupt' } | { kind: 'end' }

/** A stream that can be shut, so that what is typed while an answer is written does not appear within it. */
class Gate extends Writable {
  open = true
  readonly #target: OutputStream

  constructor(target: OutputStream) {
    super({ decodeStrings: false })
    this.#target = target
    target.on('resize', () => this.emit('resize'))
  }

  get columns(): number {
    return this.#target.columns || 80
  }

  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    if (this.open) this.#target.write(text)
    done()
  }
}

/**
 * Reads what the user types on a terminal: editing and history by `readline`, entries of several lines by a backslash
 * at the end of a line or by pasting, and typing ahead.
 */
export class LineEditor {
  readonly #lines: Interface
  readonly #gate: Gate
  readonly #prompt: string
  readonly #continuation: string
  /** Lines of the entry so far. */
  #entry: string[] = []
  #scheduled = false
  /** Entries typed ahead. */
  readonly #ahead: string[] = []
  #reader: ((entry: Entry) => void) | undefined
  #work: AbortController | undefined
  #ended = false

  constructor(input: InputStream, output: OutputStream, prompt: string, continuation: string) {
    this.#prompt = prompt
    this.#continuation = continuation
    this.#gate = new Gate(output)
    this.#lines = createInterface({
      input,
      output: this.#gate,
      terminal: true,
      historySize: 500,
      removeHistoryDuplicates: true,
    })
    // Node turns completion off while several characters arrive at once, and then adds all but the last to the end of
    // the line, wherever the cursor is. Input methods for Chinese send several at once.
    Object.defineProperty(this.#lines, 'isCompletionEnabled', { get: () => true, set() {} })
    this.#gate.open = false
    this.#lines.on('line', (line) => this.#onLine(line))
    this.#lines.on('SIGINT', () => this.#onInterrupt())
    this.#lines.on('close', () => {
      this.#ended = true
      this.#give({ kind: 'end' })
    })
  }

  /** Waits for the next entry. */
  read(): Promise<Entry> {
    this.#gate.open = true
    const ahead = this.#ahead.shift()
    if (ahead !== undefined) {
      this.#echo(ahead.split('\n'))
      return Promise.resolve({ kind: 'text', text: ahead })
    }
    if (this.#ended) return Promise.resolve({ kind: 'end' })
    this.#echo(this.#entry)
    if (!this.#scheduled) {
      // What was typed ahead is not on the screen, though the editor believes so.
      const typed = this.#takeTyped()
      this.#showPrompt()
      if (typed !== '') this.#lines.write(typed)
    }
    return new Promise((resolve) => {
      this.#reader = resolve
    })
  }

  /** Shows lines that were typed when nothing typed was shown. */
  #echo(lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      this.#gate.write(`${index === 0 ? this.#prompt : this.#continuation}${line}\n`)
    }
  }

  /**
   * Runs work during which nothing typed is shown and Ctrl-C aborts the signal.
   * @throws InterruptedError when it did
   */
  async during<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    this.#gate.open = false
    this.#work = new AbortController()
    const { signal } = this.#work
    try {
      return await work(signal)
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    } finally {
      this.#work = undefined
    }
  }

  /** Ends reading, and work that runs. */
  close(): void {
    this.#work?.abort(new InterruptedError())
    this.#lines.close()
  }

  #give(entry: Entry): void {
    const reader = this.#reader
    if (!reader) return
    this.#reader = undefined
    this.#gate.open = false
    reader(entry)
  }

  #onLine(line: string): void {
    this.#entry.push(line)
    if (this.#scheduled) return
    this.#scheduled = true
    // The lines of a paste come in one go; none of them is an entry of its own.
    setImmediate(() => this.#endEntry())
  }

  #endEntry(): void {
    this.#scheduled = false
    const last = this.#entry.length - 1
    const continued = this.#entry[last]?.endsWith('\\')
    if (continued) this.#entry[last] = this.#entry[last].slice(0, -1)
    // A paste that does not end with a newline waits for Enter.
    if (!this.#ended && (continued || this.#lines.line !== '')) {
      if (this.#reader) this.#showPrompt()
      return
    }
    const text = this.#entry.join('\n')
    this.#entry = []
    if (this.#reader) this.#give({ kind: 'text', text })
    else this.#ahead.push(text)
  }

  #onInterrupt(): void {
    if (this.#work) {
      this.#ahead.length = 0
      this.#work.abort(new InterruptedError())
    } else if (this.#entry.length > 0 || this.#lines.line !== '') {
      this.#lines.write(null, { ctrl: true, name: 'e' })
      this.#gate.write('^C\n')
      this.#entry = []
      this.#takeTyped()
      this.#showPrompt()
    } else {
      this.#give({ kind: 'interrupt' })
    }
  }

  /** Empties the line without a trace on the screen. */
  #takeTyped(): string {
    const typed = this.#lines.line
    if (typed !== '') {
      const { open } = this.#gate
      this.#gate.open = false
      this.#lines.write(null, { ctrl: true, name: 'e' })
      this.#lines.write(null, { ctrl: true, name: 'u' })
      this.#gate.open = open
    }
    return typed
  }

  #showPrompt(): void {
    this.#lines.setPrompt(this.#entry.length > 0 ? this.#continuation : this.#prompt)
    this.#lines.prompt(true)
  }
}
