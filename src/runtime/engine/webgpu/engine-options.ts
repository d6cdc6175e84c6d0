import { invalidOption } from '../../../errors/index.js'
import type { Gpu } from '../../../gpu/index.js'
import { PAGE_ROWS } from '../../../kernels/index.js'
import type { ChoicePlan } from '../variants/choose-variants.js'
import type { StepEntry } from '../variants/kinds/decode.js'
import { FEW_SEQUENCES } from '../variants/kinds/decode-few.js'
import { VARIANT_TABLE } from '../variants/table.js'
import type { TuningStore } from '../variants/tuning-store.js'
import type { VariantName, Variants } from '../variants/variants.js'

export interface EngineOptions {
  /** Positions that prompt and answer together may take. */
  readonly contextLength: number
  /** Sequences that can have a place at once. Default: `DEFAULT_SEQUENCES`. */
  readonly maxSequences?: number | undefined
  /** Rows of the cache, for all sequences together and their prefixes. Default: what a single sequence can take. */
  readonly cacheTokens?: number | undefined
  /** The most ids of prompts that a step takes. Default: 512, and 32 on a software adapter. */
  readonly chunkTokens?: number | undefined
  /** Whether activations may be rounded to 8 bits on their way into a product: for prompts, and for steps of up to 8 sequences. */
  readonly activations: 'int8' | 'float'
  /** Variants to use instead of the fastest. */
  readonly variants?: Partial<Variants>
  /** Where times measured before are read from and new ones kept. */
  readonly tuningStore?: TuningStore
  /** Whether to measure on a software adapter, too, where it takes long and tells little: for tests. */
  readonly measureSoftware?: boolean
  /** When the weights are there: nothing is measured before. Default: they are. */
  readonly weightsReady?: Promise<unknown>
  /** Called before variants are measured. */
  readonly onMeasure?: () => void
  /** Told of each variant that did not compile. */
  readonly onRefused?: (message: string) => void
}

/** Cache rows kept for a prefix besides the context: the official prefix has 128. */
export const PREFIX_ROWS = 128
/** Sequences that can have a place at once where the caller names none. */
export const DEFAULT_SEQUENCES = 8
/** The most sequences that can have a place at once. */
export const MAX_SEQUENCES = 64
/** Rows of a chunk of a prompt on a GPU: enough to reuse each weight it loads many times. */
export const MOST_CHUNK_ROWS = 512
/** The same on a software adapter, which gains nothing from more. */
const SOFTWARE_CHUNK_ROWS = 32

/** Rows of a chunk of a prompt. @param asked what the caller asked for */
export function chunkRows(gpu: Pick<Gpu, 'software'>, contextLength: number, asked?: number): number {
  return Math.min(contextLength, asked ?? (gpu.software ? SOFTWARE_CHUNK_ROWS : MOST_CHUNK_ROWS))
}

/** Pages of the cache. @param cacheTokens rows that were asked for; default: those of one sequence behind a prefix */
export function cachePages(contextLength: number, cacheTokens = contextLength + PREFIX_ROWS): number {
  return Math.ceil(cacheTokens / PAGE_ROWS)
}

function whole(option: string, value: number, low: number, high: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return
  throw invalidOption(option, value, `a whole number from ${low} to ${high}${what}`)
}

/**
 * Checks the sizes of an engine and fills in the defaults.
 * @throws `option.invalid`
 */
export function checkSizes({
  contextLength,
  maxSequences = DEFAULT_SEQUENCES,
  cacheTokens,
  chunkTokens,
}: Pick<EngineOptions, 'contextLength' | 'maxSequences' | 'cacheTokens' | 'chunkTokens'>) {
  whole('maxSequences', maxSequences, 1, MAX_SEQUENCES, '')
  if (cacheTokens !== undefined) {
    whole(
      'cacheTokens',
      cacheTokens,
      2,
      2 ** 24,
      ': rows for the prefixes, prompts and answers of all sequences',
    )
  }
  if (chunkTokens !== undefined) whole('chunkTokens', chunkTokens, 1, 4096, '')
  return { contextLength, maxSequences, pages: cachePages(contextLength, cacheTokens) }
}

/**
 * The number of rows that a step of `rows` rows is built for: steps of different sizes share their kernels, so that few
 * are compiled.
 */
export function rowBucket(
  { fewRowsProduct, decodeFew, decodeMany }: Pick<Variants, 'fewRowsProduct' | 'decodeFew' | 'decodeMany'>,
  rows: number,
  maxSequences: number,
): number {
  if (rows === 1) return 1
  const entry: StepEntry =
    rows <= FEW_SEQUENCES
      ? VARIANT_TABLE.decodeFew.entries[decodeFew]
      : VARIANT_TABLE.decodeMany.entries[decodeMany]
  const { buckets = VARIANT_TABLE.fewRowsProduct.entries[fewRowsProduct].buckets } = entry
  return buckets.find((bucket) => rows <= bucket) ?? maxSequences
}

/** The most rows that steps are built for, whichever variants are chosen. */
export function mostRows(choices: readonly ChoicePlan[], maxSequences: number): number {
  const orders = (name: VariantName) => choices.find((choice) => choice.name === name)?.order ?? []
  const buckets = orders('fewRowsProduct').flatMap((fewRowsProduct) =>
    orders('decodeFew').flatMap((decodeFew) =>
      orders('decodeMany').map((decodeMany) => {
        const variants = { fewRowsProduct, decodeFew, decodeMany } as Variants
        return rowBucket(variants, maxSequences, maxSequences)
      }),
    ),
  )
  return Math.max(...buckets)
}
