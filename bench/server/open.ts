import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Gpu, LocalModel, standInTokenizer, Tokenizer, WebGpuDevice } from '../common/internals.js'
import { openModel } from '../model/open-model.js'

/** What is served. */
export interface ServedChoice {
  /** A model's folder; else random weights in `shape`. */
  readonly folder?: string
  readonly shape: string
  readonly contextLength: number
  /** Answers side by side. */
  readonly maxSequences: number
}

/** A model as `chatglm serve` has it: room for a whole context for every fourth answer. */
export async function openServed(gpu: Gpu, choice: ServedChoice): Promise<LocalModel> {
  const { folder, shape, contextLength, maxSequences } = choice
  const { engine } = await openModel(gpu, {
    ...(folder && { folder }),
    shape,
    bits: 4,
    groupSize: folder ? 32 : 64,
    contextLength,
    activations: 'int8',
    seed: 7,
    sizes: { maxSequences, cacheTokens: Math.ceil(maxSequences / 4) * (contextLength + 128) },
  })
  const file = folder
    ? await readFile(join(folder, 'tokenizer.model'))
    : standInTokenizer(engine.config.vocabulary)
  return new LocalModel(engine, new WebGpuDevice(engine), undefined, Tokenizer.fromSentencePiece(file))
}
