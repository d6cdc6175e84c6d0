import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'

/** How long the stages of a training took, those of interrupted runs included. */
export class StageClock {
  readonly #file: string
  readonly seconds: Record<string, number>

  private constructor(file: string, seconds: Record<string, number>) {
    this.#file = file
    this.seconds = seconds
  }

  static async open(file: string): Promise<StageClock> {
    const seconds = existsSync(file)
      ? (JSON.parse(await readFile(file, 'utf8')) as Record<string, number>)
      : {}
    return new StageClock(file, seconds)
  }

  /** Adds what a stage takes to what it took before, also where it fails. */
  async time<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await work()
    } finally {
      this.seconds[stage] = (this.seconds[stage] ?? 0) + (performance.now() - started) / 1000
      await writeFile(this.#file, `${JSON.stringify(this.seconds)}\n`)
    }
  }
}
