/**
 * Gives every reader damaged input for as long as is asked: `npm run fuzz -- --minutes 10`.
 *
 * The readers run in a thread of their own. The main thread sees to it that each input ends: a loop without an end
 * could not be told from inside.
 */
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Command, InvalidArgumentError, Option } from 'commander'
import { FuzzFailure, inputsFor, millisecondsOf, noCounts, tryInput } from './fuzz.js'
import { READERS } from './readers.js'

/** How long the thread may work without a report. */
const HANG_MS = 10_000
const REPORT_MS = 500

interface Task {
  readonly reader: string
  readonly seed: number
  readonly milliseconds: number
}

interface Report {
  readonly inputs: number
  readonly read: number
  readonly slowest: number
  readonly slowestInput: string
  /** The most bytes that the heap and its buffers had. */
  readonly memory: number
  /** The input that is tried next. */
  readonly next: string
  readonly done: boolean
  readonly failure?: string
}

/** Tries inputs in a thread and reports now and then. */
async function work({ reader: name, seed, milliseconds }: Task): Promise<void> {
  const reader = READERS.find((candidate) => candidate.name === name)!
  const counts = noCounts()
  const end = performance.now() + milliseconds
  let memory = 0
  let reported = 0
  const report = (more: Pick<Report, 'done' | 'next' | 'failure'>) => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    memory = Math.max(memory, heapUsed + arrayBuffers)
    const { inputs, read, slowest, slowestInput } = counts
    parentPort!.postMessage({ inputs, read, slowest, slowestInput: base64(slowestInput), memory, ...more })
  }
  for (const input of inputsFor(reader, seed)) {
    const now = performance.now()
    if (now > end) break
    if (now - reported > REPORT_MS) {
      reported = now
      report({ done: false, next: base64(input) })
    }
    try {
      await tryInput(reader, input, counts)
    } catch (error) {
      if (!(error instanceof FuzzFailure)) throw error
      return report({ done: true, next: '', failure: error.message })
    }
  }
  report({ done: true, next: '' })
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').slice(0, 4000)

/** Runs one reader. @returns how many inputs there were, and whether all of them ended as they may */
async function fuzz(task: Task): Promise<{ inputs: number; slowest: number; memory: number; ok: boolean }> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: task })
  let last: Report | undefined
  let timer: NodeJS.Timeout | undefined
  const problem = await new Promise<string | undefined>((resolve) => {
    const watch = () => {
      clearTimeout(timer)
      const { inputs = 0, next = '' } = last ?? {}
      const worked = process.cpuUsage()
      const look = () => {
        // Other programs may have had the processor.
        if (millisecondsOf(process.cpuUsage(worked)) > HANG_MS)
          resolve(`an input within the ${REPORT_MS} ms after input ${inputs}, ${next}, does not end`)
        else timer = setTimeout(look, HANG_MS)
      }
      timer = setTimeout(look, HANG_MS)
    }
    watch()
    worker.on('message', (report: Report) => {
      last = report
      if (report.done) resolve(report.failure)
      else watch()
    })
    worker.on('error', (error) => resolve(`the thread ended: ${error.stack}`))
  })
  clearTimeout(timer)
  await worker.terminate()
  const { inputs = 0, read = 0, slowest = 0, slowestInput = '', memory = 0 } = last ?? {}
  console.log(
    `${task.reader.padEnd(16)}${String(inputs).padStart(10)} inputs${String(read).padStart(9)} read` +
      `${slowest.toFixed(1).padStart(9)} ms slowest${(memory / 1e6).toFixed(0).padStart(6)} MB  ` +
      (problem ? `FAILED: ${problem}` : 'ok'),
  )
  if (slowest > 500) console.log(`  slowest input, base64: ${slowestInput}`)
  return { inputs, slowest, memory, ok: problem === undefined }
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

if (isMainThread) {
  await new Command('fuzz')
    .description('Gives every reader of this project damaged input.')
    .option('--minutes <number>', 'how long all readers together are tried', positive, 5)
    .addOption(new Option('--reader <name>', 'one alone').choices(READERS.map(({ name }) => name)))
    .option('--seed <number>', 'the same seed gives the same inputs', Number, Date.now() % 2 ** 31)
    .action(async ({ minutes, reader, seed }: { minutes: number; reader?: string; seed: number }) => {
      console.log(`seed ${seed}`)
      const readers = READERS.filter(({ name }) => reader === undefined || name === reader)
      const milliseconds = (minutes * 60_000) / readers.length
      const all = { inputs: 0, slowest: 0, memory: 0, failed: 0 }
      for (const { name } of readers) {
        const { inputs, slowest, memory, ok } = await fuzz({ reader: name, seed, milliseconds })
        all.inputs += inputs
        all.slowest = Math.max(all.slowest, slowest)
        all.memory = Math.max(all.memory, memory)
        if (!ok) all.failed++
      }
      console.log(
        `${readers.length} readers, ${all.inputs} inputs, ${all.failed} readers failed; ` +
          `the slowest input took ${all.slowest.toFixed(0)} ms, the most memory was ${(all.memory / 1e6).toFixed(0)} MB`,
      )
      if (all.failed > 0) process.exitCode = 1
    })
    .parseAsync()
} else {
  await work(workerData as Task)
}
