import { float32ToFloat16 } from '../../../checkpoint/index.js'
import { LORA_OCTET } from '../../../kernels/index.js'
import type { Factors, StoredFactors } from './open-lora.js'

type Sizes = Pick<StoredFactors, 'rank' | 'inFeatures' | 'outFeatures'>

/** Octets of f16 that a matrix's factors take, where B begins among them, and octets of the rank. */
export function factorOctets({ rank, inFeatures, outFeatures }: Sizes) {
  const ofRank = Math.ceil(rank / LORA_OCTET)
  const firstOfB = ofRank * LORA_OCTET * Math.ceil(inFeatures / LORA_OCTET)
  return { ofRank, firstOfB, total: firstOfB + outFeatures * ofRank }
}

/** The power of two that brings the largest of some numbers near to 1, so that f16 has the others as exactly as it can. */
function normalizer(values: Float32Array): number {
  let largest = 0
  for (const value of values) largest = Math.max(largest, Math.abs(value))
  return largest === 0 ? 1 : 2 ** -Math.ceil(Math.log2(largest))
}

/**
 * A matrix's factors as the kernel reads them, filled up with zeros, and the scale that goes with them: powers of two are
 * moved from the factors to it.
 */
export function packFactors(
  sizes: Sizes & Pick<StoredFactors, 'scale'>,
  { a, b }: Factors,
): { readonly halves: Uint16Array; readonly scale: number } {
  const { rank, inFeatures, outFeatures } = sizes
  const { ofRank, firstOfB, total } = factorOctets(sizes)
  const floats = new Float32Array(total * LORA_OCTET)
  const width = Math.ceil(inFeatures / LORA_OCTET) * LORA_OCTET
  const [ofA, ofB] = [normalizer(a), normalizer(b)]
  for (let j = 0; j < rank; j++) {
    for (let i = 0; i < inFeatures; i++) floats[j * width + i] = ofA * a[j * inFeatures + i]
  }
  const stride = ofRank * LORA_OCTET
  for (let n = 0; n < outFeatures; n++) {
    for (let j = 0; j < rank; j++) floats[firstOfB * LORA_OCTET + n * stride + j] = ofB * b[n * rank + j]
  }
  return { halves: float32ToFloat16(floats), scale: sizes.scale / ofA / ofB }
}
