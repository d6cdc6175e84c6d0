import type { TrainingVariants } from '../../model/index.js'
import type { VariantEntry, VariantKind } from './kind.js'
import { DECODE, type Decode } from './kinds/decode.js'
import { DECODE_ATTENTION, type DecodeAttention } from './kinds/decode-attention.js'
import { DECODE_FEW, type DecodeFew } from './kinds/decode-few.js'
import { DECODE_MANY, type DecodeMany } from './kinds/decode-many.js'
import { FEW_ROWS_PRODUCT, type FewRowsProduct } from './kinds/few-rows-product.js'
import { PREFILL, type Prefill } from './kinds/prefill.js'
import { PREFILL_ATTENTION, type PrefillAttention } from './kinds/prefill-attention.js'
import { type ManyRowsProduct, PREFILL_PRODUCT } from './kinds/prefill-product.js'
import { TRAINING_ATTENTION } from './kinds/training-attention.js'
import { TRAINING_PRODUCT } from './kinds/training-product.js'

/** A variant of each thing that can be computed by more than one kernel. */
export interface Variants extends TrainingVariants {
  readonly prefill: Prefill
  readonly prefillProduct: ManyRowsProduct
  readonly prefillAttention: PrefillAttention
  readonly fewRowsProduct: FewRowsProduct
  readonly decode: Decode
  readonly decodeAttention: DecodeAttention
  readonly decodeFew: DecodeFew
  readonly decodeMany: DecodeMany
}

/**
 * Everything that can be computed by more than one kernel: what the variants need, how they are built, and how they are
 * tried. Forcing, measuring, keeping times, explaining and `chatglm devices` read this table; another kind is a file of
 * its folder and two lines here, and another variant an entry of its kind.
 */
export const VARIANT_TABLE = {
  prefill: PREFILL,
  prefillProduct: PREFILL_PRODUCT,
  prefillAttention: PREFILL_ATTENTION,
  fewRowsProduct: FEW_ROWS_PRODUCT,
  decode: DECODE,
  decodeAttention: DECODE_ATTENTION,
  decodeFew: DECODE_FEW,
  decodeMany: DECODE_MANY,
  trainingProduct: TRAINING_PRODUCT,
  trainingAttention: TRAINING_ATTENTION,
} satisfies { readonly [Name in keyof Variants]: VariantKind<Variants[Name], VariantEntry<unknown>> }
