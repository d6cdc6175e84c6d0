import { checkArgument, opaque } from '../schema/index.js'
import { StreamDecoder, TOKENIZER, type Tokenizer } from '../tokenizer/index.js'
import { IGNORED } from './encode.js'
import type { TrainingSample } from './training-sample.js'

/** A part of a sample's text. */
export interface PreviewPart {
  readonly text: string
  /** Whether it is learnt from, or only read. */
  readonly learnt: boolean
}

const SAMPLE = opaque<TrainingSample>((value) => {
  const { ids, labels } = (value ?? {}) as Partial<TrainingSample>
  return Array.isArray(ids) && Array.isArray(labels) && ids.length === labels.length
}, 'a sample with ids and as many labels')

/**
 * The text of a sample as the model will see it, in parts that are learnt from and parts that are not. What has no
 * text of its own is shown by its name: `</s>`.
 */
export function previewSample(tokenizer: Tokenizer, sample: TrainingSample): PreviewPart[] {
  checkArgument('tokenizer', TOKENIZER, tokenizer)
  checkArgument('sample', SAMPLE, sample)
  const { ids, labels } = sample
  const decoder = new StreamDecoder(tokenizer)
  const parts: { text: string; learnt: boolean }[] = []
  const add = (text: string, learnt: boolean) => {
    const last = parts.at(-1)
    if (last?.learnt === learnt) last.text += text
    else parts.push({ text, learnt })
  }
  for (const [index, id] of ids.entries()) {
    const text = decoder.push(id)
    const named = id === tokenizer.special.eos ? `${text}</s>` : text
    add(named, labels[index] !== IGNORED)
  }
  const rest = decoder.flush()
  if (rest !== '') add(rest, labels.at(-1) !== IGNORED)
  return parts.filter(({ text }) => text !== '')
}
