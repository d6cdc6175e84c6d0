import { computed, effect, signal } from '@preact/signals'
import type { WorkerModel } from '../../../src/browser.js'
import type { DataSettings, DatasetHandle, PlannedMemory, PreviewPart } from '../../../src/finetune.js'
import { hasCode } from '../../../src/index.js'
import { readyModel, requireModel } from '../model/model.js'
import { isAbort, report } from '../problems/problems.js'
import { type DataFormat, dataSettings, fitFormat, isUsable, trainingSettings } from './settings.js'

/** Data in the worker of a model. */
export interface ReadData {
  readonly model: WorkerModel
  readonly dataset: DatasetHandle
  /** What it was read with. */
  readonly settings: DataSettings
}

export const dataFile = signal<File | undefined>(undefined)
export const readData = signal<ReadData | undefined>(undefined)
export const isReading = signal(false)
/** Whether what was read is of the model and the settings of now. */
export const isCurrent = computed(
  () =>
    readData.value !== undefined &&
    readData.value.model === readyModel.value?.model &&
    readData.value.settings === dataSettings.value,
)

/** Why the file cannot be used, as the library says it. */
export const dataProblem = signal<string | undefined>(undefined)

/** The sample that is shown, and its text. */
export const preview = signal<{ readonly index: number; readonly parts: readonly PreviewPart[] } | undefined>(
  undefined,
)
/** GPU memory that the training will take; undefined while it is computed. */
export const plan = signal<readonly PlannedMemory[] | undefined>(undefined)

/** Settings change with every key; data are read again when it is quiet for so long. */
const QUIET_MS = 400
/** Enough of a file to tell its format. */
const HEAD_BYTES = 64 * 1024

let reading: AbortController | undefined

async function formatOf(file: File): Promise<DataFormat> {
  const head = await file.slice(0, HEAD_BYTES).text()
  return /"?(conversations|NLDocumentation)"?\s*[:,\n]/.test(head) ? 'multi-turn' : 'input-output'
}

/** Takes a data file, and the preset for its format. */
export async function chooseData(file: File): Promise<void> {
  fitFormat(await formatOf(file).catch(() => dataSettings.peek().format))
  dataFile.value = file
  await read()
}

/** Reads the file with the settings of now, in the place of what was read before. */
async function read(): Promise<void> {
  const file = dataFile.peek()
  if (!file) return
  reading?.abort()
  const controller = new AbortController()
  reading = controller
  const { signal } = controller
  isReading.value = true
  dataProblem.value = undefined
  try {
    const ready = await requireModel()
    if (!ready || signal.aborted) return
    const { model } = ready
    const settings = dataSettings.peek()
    const dataset = await model.readDataset(file, settings, { convert: true, signal })
    const before = readData.peek()
    readData.value = { model, dataset, settings }
    if (before?.model === model) await model.unloadDataset(before.dataset)
    await showSample(0)
  } catch (error) {
    if (isAbort(error) || signal.aborted) return
    forget()
    if (hasCode(error, 'input.dataset')) dataProblem.value = error.message
    else report(error)
  } finally {
    if (reading === controller) isReading.value = false
  }
}

function forget(): void {
  readData.value = undefined
  preview.value = undefined
  plan.value = undefined
}

export async function showSample(index: number): Promise<void> {
  const data = readData.peek()
  if (!data) return
  const parts = await data.model.previewSample(data.dataset, index)
  if (readData.peek() === data) preview.value = { index, parts }
}

/** Reads again what depends on the model or on the limits of length, and plans what depends on the rest. */
export function followSettings(): () => void {
  let timer: number | undefined
  const later = (work: () => void) => {
    clearTimeout(timer)
    timer = window.setTimeout(work, QUIET_MS)
  }
  const stops = [
    effect(() => {
      const model = readyModel.value?.model
      const settings = dataSettings.value
      const data = readData.peek()
      if (data && data.model !== model) forget()
      if (!isUsable.value || !model || !dataFile.peek()) return
      // What is being read may be read with settings that have changed since.
      if (isReading.value || (data?.model === model && data.settings === settings)) return
      if (dataProblem.peek() === undefined || data) later(read)
    }),
    planning(),
  ]
  return () => {
    clearTimeout(timer)
    for (const stop of stops) stop()
  }
}

function planning(): () => void {
  let timer: number | undefined
  const stop = effect(() => {
    const data = readData.value
    const { prefixLength, prefixProjection } = trainingSettings.value
    clearTimeout(timer)
    plan.value = undefined
    if (!data || !isUsable.value) return
    timer = window.setTimeout(async () => {
      const options = { prefixLength, prefixProjection }
      const memory = await data.model.planTrainingMemory(data.dataset, options).catch(() => undefined)
      if (readData.peek() === data) plan.value = memory
    }, QUIET_MS)
  })
  return () => {
    clearTimeout(timer)
    stop()
  }
}
