import pc from 'picocolors'
import type { Io, OutputStream } from './io.js'
import { wrap } from './wrap.js'

export type Colors = ReturnType<typeof pc.createColors>

/** Whether a stream shows a moving cursor and colours. */
function isScreen(stream: OutputStream, env: Io['env']): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** As picocolors decides it, but for each stream by itself: one of the two is often a file. */
function colorsFor(stream: OutputStream, env: Io['env']): Colors {
  return pc.createColors(!env.NO_COLOR && (Boolean(env.FORCE_COLOR) || isScreen(stream, env)))
}

/**
 * Control characters become pictures of themselves. A model can generate any byte, and a terminal would obey it.
 */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    const code = character.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '\u2421' : '\ufffd'
  })
}

/** Where things are said: what the model writes to stdout, everything else to stderr. */
export class Terminal {
  readonly io: Io
  /** Colours of what is said to the user. */
  readonly colors: Colors
  /** Colours of what the model writes. */
  readonly outputColors: Colors
  /** Whether a user sits in front of it and can be asked. */
  readonly interactive: boolean
  /** Whether messages go to a screen, where a line can be drawn over. */
  readonly screen: boolean
  #lineOpen = false
  #waiting = false

  constructor(io: Io) {
    this.io = io
    this.colors = colorsFor(io.stderr, io.env)
    this.outputColors = colorsFor(io.stdout, io.env)
    this.screen = isScreen(io.stderr, io.env)
    this.interactive = io.stdin.isTTY === true && io.stderr.isTTY === true
  }

  /** Columns of the screen. */
  get width(): number {
    return this.io.stderr.columns || 80
  }

  /** A line for the user. */
  say(line = ''): void {
    this.io.stderr.write(`${this.screen ? wrap(line, this.width) : line}\n`)
  }

  /** A line for the user that matters less. */
  note(line: string): void {
    this.say(this.colors.dim(line))
  }

  /** Shows that something is being waited for, until the next `write` or `endLine`. */
  wait(): void {
    if (!this.screen || !this.io.stdout.isTTY) return
    this.io.stderr.write(this.colors.dim('…'))
    this.#waiting = true
  }

  /** A piece of what the model writes. */
  write(text: string, style: (text: string) => string = (plain) => plain): void {
    if (text === '') return
    this.#endWait()
    this.#lineOpen = !text.endsWith('\n')
    const shown = this.io.stdout.isTTY ? visible(text) : text
    // Colours end before the line does, or some terminals fill its rest.
    this.io.stdout.write(
      shown
        .split('\n')
        .map((line) => (line === '' ? '' : style(line)))
        .join('\n'),
    )
  }

  /** A line of what the command was asked to give out, exactly as it is. */
  print(line = ''): void {
    this.io.stdout.write(`${line}\n`)
  }

  /** Ends the line of what the model writes, if one is begun. */
  endLine(): void {
    this.#endWait()
    if (this.#lineOpen) this.write('\n')
  }

  #endWait(): void {
    if (this.#waiting) this.io.stderr.write('\r\x1b[K')
    this.#waiting = false
  }
}
