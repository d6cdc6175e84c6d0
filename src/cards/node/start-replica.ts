import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { proxy } from 'comlink'
import { ModelLine, packSource, WorkerModel } from '../../browser/index.js'
import type { SourceLocation } from '../../checkpoint/index.js'
import { disposed } from '../../errors/index.js'
import type { LoadModelOptions } from '../../runtime/generate/index.js'
import { processFailed } from '../errors.js'
import type { CardHost } from './card-host.js'
import type { ChosenCard } from './choose-cards.js'
import { ProcessWorker } from './process-worker.js'

/** A model in a process of its own. */
export class CardModel extends WorkerModel {
  readonly label: string
  readonly line: ModelLine<CardHost>
  /** Of the process. */
  readonly pid: number | undefined

  private constructor(
    line: ModelLine<CardHost>,
    facts: ConstructorParameters<typeof WorkerModel>[1],
    worker: ProcessWorker,
  ) {
    super(line as unknown as ModelLine, facts, true)
    this.label = worker.label
    this.pid = worker.pid
    this.line = line
  }

  /**
   * Starts a process on a card and loads a model there.
   * @param options as of `loadModel`; of functions and signals only `signal` and `onProgress`
   * @throws `device.worker-failed`, and what `loadModel` throws
   */
  static async load(
    card: ChosenCard,
    source: SourceLocation,
    { signal, onProgress, device: _, ...options }: LoadModelOptions,
    script = hostScript(),
  ): Promise<CardModel> {
    const worker = await ProcessWorker.start(card, script)
    const line = new ModelLine<CardHost>(worker)
    try {
      const packed = await packSource(source)
      const listener = onProgress && proxy(onProgress)
      const facts = await line.call(signal, (host, id) =>
        host.loadOn(card.adapterName, id, packed, { ...options, device: card.device }, listener),
      )
      return new CardModel(line, facts, worker)
    } catch (error) {
      line.end(disposed('model'))
      worker.terminate()
      throw error
    }
  }
}

const HOST = 'gpu-host.js'

/** The program of the processes, which is built beside whatever this file is built into. */
function hostScript(): string {
  const script = join(dirname(fileURLToPath(import.meta.url)), HOST)
  if (existsSync(script)) return script
  throw processFailed(
    'a GPU',
    `its program ${script} is not there: the package has to be built, and not bundled into another file`,
  )
}
