import { openSource, type Progress, type SourceLocation } from '../../checkpoint/index.js'
import { hasCode, invalidOption } from '../../errors/index.js'
import { requestAdapterNamed } from '../../gpu/index.js'
import { type LoadModelOptions, type LocalModel, loadModel } from '../../runtime/generate/index.js'
import { loadTokenizer, loadTokenizerOf, openModelCheckpoint } from '../../runtime/model/index.js'
import type { Tokenizer } from '../../tokenizer/index.js'
import type { GpuOptions } from '../load-model.js'
import { ReplicatedModel } from '../replicated-model.js'
import { type ChosenCard, chooseCards, VISIBLE_GPUS, visibleCards } from './choose-cards.js'
import { CardModel } from './start-replica.js'
import { listCards } from './system/list-cards.js'

/** As `loadModel` has them. */
const SEQUENCES = 8
const WAITING = 1024

/** The cards of an option, and how to use them. @throws as `chooseCards` */
export async function chosenCards(gpus: readonly number[], device: LoadModelOptions['device'] = 'auto') {
  if (device !== 'auto' && device !== 'software') {
    throw invalidOption('device', device, '"auto" or "software" together with gpu')
  }
  const all = await listCards()
  return chooseCards(gpus, device, { all, visible: visibleCards(all, process.env[VISIBLE_GPUS]) })
}

/**
 * Loads a model onto cards: in this process where the only one can be had here, else in a process of its own for each.
 * @throws as `loadModel`, `adapter.card-unknown`, `adapter.card-hidden`, `device.worker-failed`
 */
export async function loadOnGpus(
  source: SourceLocation,
  { gpu, onGpuLost, ...options }: LoadModelOptions & GpuOptions,
): Promise<LocalModel | ReplicatedModel<CardModel>> {
  const gpus = typeof gpu === 'number' ? [gpu] : gpu
  const cards = await chosenCards(gpus, options.device)
  const [first] = cards
  if (cards.length === 1 && first.device === 'auto' && first.launcher.length === 0) {
    const { adapterName } = first
    return loadModel(
      source,
      adapterName ? { ...options, device: await requestAdapterNamed(adapterName) } : options,
    )
  }
  return loadReplicas(cards, source, { ...options, ...(onGpuLost && { onGpuLost }) })
}

/** Loads a model in a process for each card. @param script the program of the processes */
export async function loadReplicas(
  cards: readonly ChosenCard[],
  source: SourceLocation,
  { onGpuLost, ...options }: LoadModelOptions & Omit<GpuOptions, 'gpu'>,
  script?: string,
): Promise<ReplicatedModel<CardModel>> {
  const tokenizer = tokenizerOf(source, options)
  tokenizer.catch(() => {})
  const report = sharedProgress(cards.length, options.onProgress)
  const loading = cards.map((card, at) =>
    CardModel.load(card, source, { ...options, ...(report && { onProgress: report(at) }) }, script),
  )
  const settled = await Promise.allSettled([tokenizer, ...loading])
  const models = settled
    .slice(1)
    .flatMap((one) => (one.status === 'fulfilled' ? [one.value as CardModel] : []))
  const failure = settled.find((one) => one.status === 'rejected')
  if (failure) {
    for (const model of models) model.dispose()
    throw failure.reason
  }
  const { maxSequences = SEQUENCES, maxWaiting = WAITING } = options
  return new ReplicatedModel(
    models.map((model) => ({ label: model.label, model })),
    await tokenizer,
    { maxSequences, maxWaiting, ...(onGpuLost && { onLost: onGpuLost }) },
  )
}

/** The tokenizer, here: who has the model object asks it in the middle of a sentence. */
async function tokenizerOf(source: SourceLocation, options: LoadModelOptions): Promise<Tokenizer> {
  const opened = await openSource(source, options)
  try {
    return await loadTokenizerOf(opened, options.signal)
  } catch (error) {
    if (!hasCode(error, 'checkpoint.tokenizer-missing')) throw error
    return loadTokenizer(await openModelCheckpoint(opened, options), options.signal)
  }
}

/** One account of the progress of several cards: that of the last one; each warning once. */
function sharedProgress(cards: number, onProgress: LoadModelOptions['onProgress']) {
  if (!onProgress) return undefined
  const last: (Progress | undefined)[] = Array.from({ length: cards })
  const warned = new Set<string>()
  return (at: number) =>
    ({ warning, ...progress }: Progress) => {
      last[at] = progress
      const isNew = warning !== undefined && !warned.has(warning)
      if (isNew) warned.add(warning)
      const slowest = last.reduce((slow, one) => (share(one) < share(slow) ? one : slow))
      if (slowest) onProgress({ ...slowest, ...(isNew && { warning }) })
      else if (isNew) onProgress({ ...progress, warning })
    }
}

function share(progress: Progress | undefined): number {
  return progress ? progress.doneBytes / (progress.totalBytes || 1) : -1
}
