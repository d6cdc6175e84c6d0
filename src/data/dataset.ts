import { createSha256, type Sha256 } from '../checkpoint/index.js'
import { InputError, invalidOption } from '../errors/index.js'
import {
  checkArgument,
  checkOptions,
  flag,
  type OptionShape,
  opaque,
  text,
  wholeNumber,
  z,
} from '../schema/index.js'
import { TOKENIZER, type Tokenizer } from '../tokenizer/index.js'
import { convertPublished } from './convert.js'
import { type EncodedSample, encodeConversation, encodePair, IGNORED } from './encode.js'
import { parseRecord } from './parse-record.js'
import { type DataLocation, dataName, READ_SHAPE, type ReadOptions, readRecords } from './read-records.js'
import { isConversation, type SourceRecord, type TrainingRecord } from './records.js'
import type { TrainingSample } from './training-sample.js'

/** How records become token ids. */
export type DataSettings = InputOutputSettings | MultiTurnSettings

export interface ReadDatasetOptions extends ReadOptions {
  /** Takes records of AdvertiseGen and ToolAlpaca, too, as `chatglm data` converts them. */
  readonly convert?: boolean
}

/** Pairs of prompt and response, without roles. */
export interface InputOutputSettings {
  readonly format: 'input-output'
  /** Tokens of a prompt, with the two before it; what is longer is cut. */
  readonly maxSourceLength: number
  /** Tokens of a response, without `</s>`. */
  readonly maxTargetLength: number
}

/** Conversations. */
export interface MultiTurnSettings {
  readonly format: 'multi-turn'
  /** Tokens of a conversation. */
  readonly maxLength: number
}

const READ_DATASET_SHAPE: OptionShape<ReadDatasetOptions> = { ...READ_SHAPE, convert: flag }

/** What a call takes as settings of data. */
const SETTINGS = z.discriminatedUnion(
  'format',
  [
    z.strictObject({
      format: z.literal('input-output'),
      maxSourceLength: wholeNumber(1),
      maxTargetLength: wholeNumber(1),
    }),
    z.strictObject({ format: z.literal('multi-turn'), maxLength: wholeNumber(1) }),
  ],
  { error: 'settings of the format input-output or multi-turn' },
)

/** A dataset as those see it who only give it to calls; its samples are where the model is. */
export interface DatasetHandle {
  /** What it was read from. */
  readonly name: string
  readonly settings: DataSettings
  /** Number of samples. */
  readonly length: number
  /** Samples of which something was cut off. */
  readonly truncated: number
  /** Records that were left out: nothing to learn from was left of them, or they are malformed uses of a tool. */
  readonly empty: number
  /** Tokens of all samples. */
  readonly tokens: number
  /** Tokens of the longest sample. */
  readonly longest: number
  /** SHA-256 of ids and labels: the same data give the same training. */
  readonly fingerprint: string
}

/** Tokenized samples, each with what is learnt from it. */
export class TrainingDataset implements DatasetHandle {
  readonly name: string
  readonly settings: DataSettings
  readonly truncated: number
  readonly empty: number
  readonly tokens: number
  readonly longest: number
  readonly fingerprint: string
  /** Each sample's ids; a target is stored as its complement. */
  readonly #samples: readonly Int32Array[]

  /** @internal Use `createDataset` or `readDataset`. */
  constructor(
    name: string,
    settings: DataSettings,
    samples: readonly Int32Array[],
    counts: { truncated: number; empty: number },
    fingerprint: string,
  ) {
    this.name = name
    this.settings = settings
    this.truncated = counts.truncated
    this.empty = counts.empty
    this.tokens = samples.reduce((sum, { length }) => sum + length, 0)
    this.longest = samples.reduce((longest, { length }) => Math.max(longest, length), 0)
    this.fingerprint = fingerprint
    this.#samples = samples
  }

  get length(): number {
    return this.#samples.length
  }

  /** @throws `option.invalid` for an index beyond `length` */
  sample(index: number): TrainingSample {
    const packed = Array.from(this.#at(index))
    return {
      ids: packed.map((value) => (value < 0 ? ~value : value)),
      labels: packed.map((value) => (value < 0 ? ~value : IGNORED)),
    }
  }

  /** Tokens of a sample that are predicted; the first token of a sequence never is. */
  targets(index: number): number {
    return countTargets(this.#at(index))
  }

  #at(index: number): Int32Array {
    const isIndex = Number.isInteger(index) && index >= 0 && index < this.length
    if (!isIndex) throw invalidOption('index', index, `a whole number below ${this.length}`)
    return this.#samples[index]
  }
}

/** What a call takes as a dataset. */
export const DATASET = opaque<TrainingDataset>(
  (value) => value instanceof TrainingDataset,
  'a dataset of readDataset or createDataset',
)

function pack({ ids, labels }: EncodedSample): Int32Array {
  return Int32Array.from(ids, (id, index) => (labels[index] === IGNORED ? id : ~id))
}

function countTargets(packed: Int32Array): number {
  let count = 0
  for (let index = 1; index < packed.length; index++) if (packed[index] < 0) count++
  return count
}

/** @throws `input.dataset` for a record of the other format */
function checkFormat(record: TrainingRecord, { format }: DataSettings, where: string): void {
  if (format === 'input-output' && isConversation(record)) {
    throw new InputError(
      'input.dataset',
      `${where}: expected prompt and response, found conversations. Use a preset for conversations: ` +
        'ptuning-multiturn or ptuning-v2. History, a system prompt and tools make a conversation of a pair.',
    )
  }
  if (format === 'multi-turn' && !isConversation(record)) {
    throw new InputError(
      'input.dataset',
      `${where}: expected conversations, found prompt and response. Use the preset ptuning, ` +
        'or make conversations of them.',
    )
  }
}

function encode(tokenizer: Tokenizer, record: TrainingRecord, settings: DataSettings): EncodedSample {
  if (isConversation(record)) {
    const { maxLength } = settings as MultiTurnSettings
    return encodeConversation(tokenizer, record, maxLength)
  }
  return encodePair(tokenizer, record, settings as InputOutputSettings)
}

/**
 * Tokenizes records. The whole data stay in memory, four bytes a token.
 * @param name what to call the data in messages
 * @throws `input.dataset` for a record of another format, or where there is nothing to learn from
 */
export async function createDataset(
  records: Iterable<TrainingRecord> | AsyncIterable<TrainingRecord>,
  tokenizer: Tokenizer,
  settings: DataSettings,
  name = 'the data',
): Promise<TrainingDataset> {
  checkArgument('name', text, name)
  checkArgument('settings', SETTINGS, settings)
  async function* located(): AsyncGenerator<SourceRecord> {
    let index = 0
    try {
      for await (const value of records) yield { value, where: `${name}, record ${index++}` }
    } catch (cause) {
      throw new InputError(
        'input.dataset',
        `${name}: there is no record ${index} to be read from what was given.`,
        {
          cause,
        },
      )
    }
  }
  return collect(located(), tokenizer, settings, name)
}

/**
 * Reads and tokenizes a data file; see `readRecords` for what it may be.
 * @throws `input.dataset` naming file and line, `source.not-found` or `source.failed` where the file cannot be read
 */
export async function readDataset(
  location: DataLocation,
  tokenizer: Tokenizer,
  settings: DataSettings,
  options: ReadDatasetOptions = {},
): Promise<TrainingDataset> {
  checkOptions(READ_DATASET_SHAPE, options)
  checkArgument('settings', SETTINGS, settings)
  const { convert = false, ...reading } = options
  const records = readRecords(location, reading)
  const name = dataName(location)
  if (!convert) return collect(records, tokenizer, settings, name)
  let dropped = 0
  const converted = convertPublished(records, settings.format, (count) => {
    dropped += count
  })
  return collect(converted, tokenizer, settings, name, () => dropped)
}

/**
 * Checks all records of a data file without a tokenizer, so before a model is loaded.
 * @returns how many there are
 * @throws as `readDataset`, but for what depends on the number of tokens
 */
export async function checkDataset(
  location: DataLocation,
  settings: DataSettings,
  options: ReadOptions = {},
): Promise<number> {
  checkArgument('settings', SETTINGS, settings)
  let records = 0
  for await (const source of readRecords(location, options)) {
    checkFormat(parseRecord(source), settings, source.where)
    records++
  }
  if (records > 0) return records
  throw new InputError('input.dataset', `${dataName(location)} has no records.`)
}

async function collect(
  records: AsyncIterable<SourceRecord>,
  tokenizer: Tokenizer,
  settings: DataSettings,
  name: string,
  dropped = () => 0,
): Promise<TrainingDataset> {
  checkArgument('tokenizer', TOKENIZER, tokenizer)
  const samples: Int32Array[] = []
  const hash = await createSha256()
  const counts = { truncated: 0, empty: 0 }
  for await (const source of records) {
    const record = parseRecord(source)
    checkFormat(record, settings, source.where)
    const encoded = encode(tokenizer, record, settings)
    const packed = pack(encoded)
    if (countTargets(packed) === 0) {
      counts.empty++
      continue
    }
    if (encoded.truncated) counts.truncated++
    samples.push(packed)
    hashSample(hash, packed)
  }
  counts.empty += dropped()
  if (samples.length > 0) return new TrainingDataset(name, settings, samples, counts, hash.digest())
  throw new InputError(
    'input.dataset',
    counts.empty === 0
      ? `${name} has no records.`
      : `${name}: none of its ${counts.empty} records has anything to learn from. Responses are empty or cut off, ` +
          'or every message has "loss": false. Allow more tokens, or correct the data.',
  )
}

function hashSample(hash: Sha256, packed: Int32Array): void {
  hash.update(new Uint8Array(Int32Array.of(packed.length).buffer))
  hash.update(new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength))
}
