import { signal } from '@preact/signals'
import type { TrainingEvent } from '../../../src/finetune.js'
import { MemoryFiles } from '../../../src/index.js'
import { changeSettings, startConversation } from '../conversation/store.js'
import { rememberPrefix, unloadPrefix } from '../model/prefix-cache.js'
import { addTemporaryPrefix } from '../prefixes/prefixes.js'
import { isAbort, report } from '../problems/problems.js'
import { show } from '../shell/route.js'
import { keepsModels, openStore, readStored, refreshStore, storedItems } from '../storage/store.js'
import { saveFile } from '../ui/file-choice.js'
import { type DataFormat, trainingSettings } from './settings.js'
import { readData } from './training-data.js'
import { trainingShare } from './training-share.js'

const PREFIX_FILES = ['model.safetensors', 'config.json'] as const

/** A step of the shown training. */
export interface LossPoint {
  readonly step: number
  readonly loss: number
}

interface Facts {
  /** Of the prefix. */
  readonly name: string
  readonly format: DataFormat
  readonly maxSteps: number
  /** Steps taken, those of earlier runs included. */
  readonly step: number
  /** The step of the last checkpoint; undefined where there is none. */
  readonly checkpoint: number | undefined
}

export type Run =
  | (Facts & {
      readonly state: 'preparing' | 'running' | 'stopping'
      readonly tokensPerSecond: number | undefined
      readonly secondsLeft: number | undefined
    })
  | (Facts & { readonly state: 'completed' | 'stopped' | 'failed'; readonly seconds: number })

export const run = signal<Run | undefined>(undefined)
export const losses = signal<readonly LossPoint[]>([])

/** The prefix's name, as the user wants it. */
export const prefixName = signal('')

/** Prefixes of a window that keeps nothing, with their checkpoints. */
const inMemory = new Map<string, MemoryFiles>()

/** Steps whose pace tells how long the rest takes. */
const PACE_STEPS = 20
/** The page is drawn so often at most; small models take more steps than eyes can follow. */
const DRAW_MS = 150

let controller: AbortController | undefined

/** What the name belongs to already: a training that can go on, or something else. */
export function takenBy(name: string): 'training' | 'other' | undefined {
  if (inMemory.has(name)) return 'training'
  const item = storedItems.value.find((one) => one.name === name)
  return item && (item.source === 'training' ? 'training' : 'other')
}

/** A name for the training after one. */
function nextName(name: string): string {
  const [, base, number] = /^(.*?)(?: (\d+))?$/.exec(name)!
  return `${base} ${Number(number ?? 1) + 1}`
}

/** Trains a prefix of the chosen name over the data that were read. */
export async function startTraining(): Promise<void> {
  const data = readData.peek()
  if (!data || controller) return
  const name = prefixName.peek().trim()
  const settings = trainingSettings.peek()
  const resume = takenBy(name) === 'training'
  controller = new AbortController()
  const { signal } = controller
  const view = new RunView({
    name,
    format: data.settings.format,
    maxSteps: settings.maxSteps,
    step: 0,
    checkpoint: undefined,
  })
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  addEventListener('beforeunload', warn)
  try {
    const output = keepsModels.peek() ? (await openStore()).output(name) : memoryOf(name)
    const { prefix } = await data.model.finetunePrefix(data.dataset, {
      ...settings,
      output,
      resume,
      signal,
      onProgress: view.take,
    })
    await rememberPrefix(data.model, name, prefix)
    view.end('completed')
    prefixName.value = nextName(name)
  } catch (error) {
    view.end(isAbort(error) ? 'stopped' : 'failed')
    report(error)
    // What an earlier run left on the GPU is older than the last checkpoint.
    await unloadPrefix(data.model, name).catch(() => {})
  } finally {
    removeEventListener('beforeunload', warn)
    controller = undefined
    await afterwards(name)
  }
}

function memoryOf(name: string): MemoryFiles {
  const files = inMemory.get(name) ?? new MemoryFiles([], name)
  inMemory.set(name, files)
  return files
}

/** Lets the rest of the page know of the prefix, if there is one. */
async function afterwards(name: string): Promise<void> {
  const files = inMemory.get(name)
  if (!files) return refreshStore()
  if (!(await files.has(PREFIX_FILES[0]))) {
    inMemory.delete(name)
    return
  }
  const bytes = (path: string) => files.size(path).then((size) => files.read(path, 0, size))
  const chosen = await Promise.all(
    PREFIX_FILES.map(async (path) => new File([(await bytes(path)) as Uint8Array<ArrayBuffer>], path)),
  )
  addTemporaryPrefix(name, chosen)
}

/** Ends the training; the steps taken are saved before. */
export function stopTraining(): void {
  if (run.value?.state === 'running' || run.value?.state === 'preparing') {
    run.value = { ...run.value, state: 'stopping' }
  }
  controller?.abort(new DOMException('Stopped by the user.', 'AbortError'))
}

/** Gives the user the prefix as a file. */
export async function saveTrained(name: string): Promise<void> {
  const [file] = PREFIX_FILES
  try {
    const files = inMemory.get(name)
    const bytes = files ? await files.read(file, 0, await files.size(file)) : await readStored(name, file)
    saveFile(`${name}.safetensors`, bytes as Uint8Array<ArrayBuffer>, 'application/octet-stream')
  } catch (error) {
    report(error)
  }
}

/** Begins a conversation with the prefix, in the format that it was trained in. */
export function chatWith({ name, format }: Pick<Facts, 'name' | 'format'>): void {
  startConversation()
  changeSettings({ prefix: { name, strength: 1 }, raw: format === 'input-output' })
  show('chat')
}

/** Follows the events of a training, and shows them at a pace that eyes can follow. */
class RunView {
  readonly #started = performance.now()
  /** What was shown before, which stays where the training does not begin. */
  readonly #before = { run: run.peek(), losses: losses.peek() }
  #hasBegun = false
  #facts: Facts
  readonly #points: LossPoint[] = []
  #recent: { readonly tokens: number; readonly seconds: number }[] = []
  #share = 0
  #timer: number | undefined

  constructor(facts: Facts) {
    this.#facts = facts
    losses.value = []
    trainingShare.value = 0
    run.value = { ...facts, state: 'preparing', tokensPerSecond: undefined, secondsLeft: undefined }
  }

  readonly take = (event: TrainingEvent): void => {
    const { maxSteps } = this.#facts
    if (event.type === 'start') {
      this.#hasBegun = true
      const checkpoint = event.step > 0 ? event.step : undefined
      this.#facts = { ...this.#facts, step: event.step, checkpoint }
      this.#share = event.step / maxSteps
    } else if (event.type === 'batch') {
      this.#share = (event.step - 1 + event.batch / event.batches) / maxSteps
    } else if (event.type === 'step') {
      const { step, loss, tokens, seconds } = event
      this.#points.push({ step, loss })
      this.#recent = [...this.#recent.slice(1 - PACE_STEPS), { tokens, seconds }]
      this.#facts = { ...this.#facts, step }
    } else if (event.type === 'checkpoint') {
      this.#facts = { ...this.#facts, checkpoint: event.step }
    } else return
    this.#timer ??= window.setTimeout(this.#draw, DRAW_MS)
  }

  readonly #draw = (): void => {
    this.#timer = undefined
    const sum = (what: 'tokens' | 'seconds') => this.#recent.reduce((total, one) => total + one[what], 0)
    const seconds = sum('seconds')
    const isKnown = seconds > 0
    const left = this.#facts.maxSteps * (1 - this.#share)
    const state = run.peek()?.state === 'stopping' ? 'stopping' : 'running'
    run.value = {
      ...this.#facts,
      state,
      tokensPerSecond: isKnown ? sum('tokens') / seconds : undefined,
      secondsLeft: isKnown ? (left * seconds) / this.#recent.length : undefined,
    }
    losses.value = [...this.#points]
    trainingShare.value = this.#share
  }

  end(state: 'completed' | 'stopped' | 'failed'): void {
    clearTimeout(this.#timer)
    trainingShare.value = undefined
    if (!this.#hasBegun) {
      run.value = this.#before.run
      losses.value = this.#before.losses
      return
    }
    losses.value = [...this.#points]
    run.value = { ...this.#facts, state, seconds: (performance.now() - this.#started) / 1000 }
  }
}
