import halfOctetSource from '../../common/half-octet.wgsl?raw'
import quantizedOctetSource from '../../common/quantized-octet.wgsl?raw'
import type { WeightFormat } from '../../common/weight.js'
import f16Source from './weight-f16.wgsl?raw'
import q4Source from './weight-q4.wgsl?raw'
import q8Source from './weight-q8.wgsl?raw'

/**
 * The modules that products on subgroup matrices read a weight with, and round the other factor to match; and the
 * elements that they load at once, within which a group must not end.
 */
export const WEIGHT_SOURCES: Readonly<
  Record<WeightFormat['type'], { readonly sources: readonly string[]; readonly unit: number }>
> = {
  f16: { sources: [f16Source], unit: 8 },
  q4: { sources: [halfOctetSource, quantizedOctetSource, q4Source], unit: 16 },
  q8: { sources: [q8Source], unit: 8 },
}
