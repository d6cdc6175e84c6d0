import type { AffineQuantization } from '../../checkpoint/index.js'
import { invalidOption } from '../../errors/index.js'

/** Checks a quantization and fills in the defaults: 4 bits in groups of 64. */
export function resolveQuantization(quantization: Partial<AffineQuantization>): AffineQuantization {
  const { bits = 4, groupSize = 64 } = quantization
  if (bits !== 4 && bits !== 8) throw invalidOption('quantization.bits', bits, '4 or 8')
  if (groupSize !== 32 && groupSize !== 64) {
    throw invalidOption('quantization.groupSize', groupSize, '32 or 64')
  }
  return { bits, groupSize }
}
