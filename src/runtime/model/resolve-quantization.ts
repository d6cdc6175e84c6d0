import type { AffineQuantization } from '../../checkpoint/index.js'
import { number, type Schema, z } from '../../schema/index.js'

/** What a call takes as its quantization. */
export const QUANTIZATION: Schema = z.strictObject(
  {
    bits: z.optional(number((bits) => bits === 4 || bits === 8, '4 or 8')),
    groupSize: z.optional(number((size) => size === 32 || size === 64, '32 or 64')),
  },
  { error: 'bits and groupSize' },
)

/** Fills in the defaults of a quantization: 4 bits in groups of 64. */
export function resolveQuantization({
  bits = 4,
  groupSize = 64,
}: Partial<AffineQuantization>): AffineQuantization {
  return { bits, groupSize }
}
