import { DECODE } from './kinds/decode.js'
import { DECODE_ATTENTION } from './kinds/decode-attention.js'
import { DECODE_FEW } from './kinds/decode-few.js'
import { DECODE_MANY } from './kinds/decode-many.js'
import { FEW_ROWS_PRODUCT } from './kinds/few-rows-product.js'
import { PREFILL } from './kinds/prefill.js'
import { PREFILL_ATTENTION } from './kinds/prefill-attention.js'
import { PREFILL_PRODUCT } from './kinds/prefill-product.js'

/**
 * Everything that can be computed by more than one kernel: what the variants need, how they are built, and how they are
 * tried. Forcing, measuring, keeping times, explaining and `chatglm devices` read this table; another kind is a file of
 * its folder and a line here, and another variant an entry of its kind.
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
}
