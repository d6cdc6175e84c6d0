import type { SingleBar } from 'cli-progress'
import { formatBytes, formatDuration, significant } from './format.js'
import type { Terminal } from './terminal.js'

/** What is counted. */
export interface Unit {
  /** `3.6 / 6.2 GB` */
  readonly ratio: (done: number, total: number) => string
  readonly rate: (perSecond: number) => string
}

export const BYTES: Unit = {
  ratio: (done, total) => {
    const [amount, unit] = formatBytes(done).split(' ')
    const whole = formatBytes(total)
    return whole.endsWith(` ${unit}`) ? `${amount} / ${whole}` : `${amount} ${unit} / ${whole}`
  },
  rate: (perSecond) => `${formatBytes(perSecond)}/s`,
}

export const RECORDS: Unit = {
  ratio: (done, total) => `${done} / ${total} records`,
  rate: (perSecond) => `${significant(perSecond)} records/s`,
}

/** Work shorter than this shows nothing. */
const SHOW_AFTER_MS = 400
/** How often a line is written where there is no screen. */
const LINE_EVERY_MS = 10_000
/** Speed is that of the last so many milliseconds. */
const WINDOW_MS = 15_000
/** Before this, what is read ahead of the work looks like speed. */
const SETTLED_SECONDS = 3
const BAR_WIDTH = 24

/** How far a long piece of work has come: a bar on a screen, elsewhere a line now and then. */
export class Progress {
  readonly #terminal: Terminal
  readonly #unit: Unit
  /** Undefined where there is no screen. */
  readonly #bar: SingleBar | undefined
  /** Shows the bar although nothing moves. */
  readonly #timer: NodeJS.Timeout
  #ready = false
  #shown = false
  #stopped = false
  #saidAt = performance.now()
  #label: string
  #total = 0
  /** When how much was done, oldest first. */
  #samples: { at: number; done: number }[] = []

  private constructor(terminal: Terminal, unit: Unit, label: string, Bar: typeof SingleBar | undefined) {
    this.#terminal = terminal
    this.#unit = unit
    this.#label = label
    this.#bar =
      Bar &&
      new Bar({
        stream: terminal.io.stderr,
        format: (_options, { maxWidth }) => this.#line(maxWidth),
        clearOnComplete: true,
        hideCursor: true,
        linewrap: false,
        // Ctrl-C is the command's to handle.
        gracefulExit: false,
      })
    this.#timer = setTimeout(() => {
      this.#ready = true
      this.#draw()
    }, SHOW_AFTER_MS)
  }

  /** @param label what is being done until the first `update` */
  static async create(terminal: Terminal, unit: Unit, label: string): Promise<Progress> {
    const { SingleBar } = terminal.screen ? (await import('cli-progress')).default : { SingleBar: undefined }
    return new Progress(terminal, unit, label, SingleBar)
  }

  update(label: string, done: number, total: number): void {
    if (this.#stopped) return
    const now = performance.now()
    // Another stage counts other things.
    if (label !== this.#label) this.#samples = []
    this.#label = label
    this.#total = total
    this.#samples.push({ at: now, done })
    // The oldest one kept is older than the window, however rare updates are.
    while (this.#samples.length > 2 && now - this.#samples[1].at > WINDOW_MS) this.#samples.shift()
    this.#draw()
    if (this.#bar || now - this.#saidAt < LINE_EVERY_MS) return
    this.#saidAt = now
    this.#terminal.say(done < total ? `${label}: ${this.#facts().join(', ')}` : `${label} …`)
  }

  /** Writes a line above the bar. */
  say(line: string): void {
    if (this.#shown && !this.#stopped) this.#bar?.stop()
    this.#shown = false
    this.#terminal.say(line)
    if (!this.#stopped) this.#draw()
  }

  /** Takes the bar away. */
  stop(): void {
    clearTimeout(this.#timer)
    if (this.#shown && !this.#stopped) this.#bar?.stop()
    this.#stopped = true
  }

  #draw(): void {
    const bar = this.#bar
    if (!bar || !this.#ready) return
    if (!this.#shown) bar.start(this.#total, this.#done)
    this.#shown = true
    bar.setTotal(this.#total)
    bar.update(this.#done)
  }

  get #done(): number {
    return this.#samples.at(-1)?.done ?? 0
  }

  get #fraction(): number {
    return this.#total > 0 ? Math.min(1, this.#done / this.#total) : 0
  }

  /** The most important first. */
  #facts(): string[] {
    const first = this.#samples[0]
    const last = this.#samples[this.#samples.length - 1]
    const facts = [`${Math.floor(this.#fraction * 100)}%`, this.#unit.ratio(last.done, this.#total)]
    const seconds = (last.at - first.at) / 1000
    const perSecond = (last.done - first.done) / seconds
    if (seconds > SETTLED_SECONDS && perSecond > 0) {
      facts.push(this.#unit.rate(perSecond), `${formatDuration((this.#total - last.done) / perSecond)} left`)
    }
    return facts
  }

  #line(width: number): string {
    const { colors } = this.#terminal
    // What follows the last byte takes its time, too, but nobody knows how much.
    if (this.#done >= this.#total) return colors.dim(`${this.#label} …`)
    const facts = this.#facts()
    const filled = Math.round(this.#fraction * BAR_WIDTH)
    const room = width - this.#label.length - BAR_WIDTH - 4
    while (facts.length > 1 && facts.join('  ').length > room) facts.pop()
    const bar = colors.cyan('━'.repeat(filled)) + colors.dim('━'.repeat(BAR_WIDTH - filled))
    return `${this.#label}  ${bar}  ${facts[0].padStart(4)}${facts
      .slice(1)
      .map((fact) => colors.dim(`  ${fact}`))
      .join('')}`
  }
}
