import { float32ToFloat16 } from '../src/checkpoint/index.js'

export interface NormalDistribution {
  readonly mean: number
  readonly deviation: number
}

/** Values for each 16-bit random word. */
const TABLE_SIZE = 2 ** 16

/**
 * Fills float16 values that are normally distributed, about a gigabyte a second: each is the quantile of a 16-bit
 * random word, looked up in a table.
 *
 * @param target an even number of float16 bit patterns, aligned to 4 bytes
 * @param label what the values are for; another label gives other values with the same seed
 */
export function fillNormalFloat16(
  target: Uint16Array,
  distribution: NormalDistribution,
  seed: number,
  label: string,
): void {
  const table = quantileTable(distribution)
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length / 2)
  // George Marsaglia's xorshift128, inlined: this loop is what the speed depends on.
  let [x, y, z, w] = hashWords(`${seed}/${label}`)
  for (let i = 0; i < words.length; i++) {
    const mixed = x ^ (x << 11)
    x = y
    y = z
    z = w
    w = w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8)
    words[i] = table[w & 0xffff] | (table[w >>> 16] << 16)
  }
}

/** Four 32-bit hashes of a text: FNV-1a with different beginnings, each mixed as in MurmurHash3. */
function hashWords(text: string): [number, number, number, number] {
  const bytes = new TextEncoder().encode(text)
  const hash = (start: number) => {
    let h = start
    for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193)
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return h ^ (h >>> 16)
  }
  return [hash(0x811c9dc5), hash(0x9e3779b9), hash(0x7f4a7c15), hash(0x3c6ef372)]
}

const tables = new Map<string, Uint16Array>()

function quantileTable({ mean, deviation }: NormalDistribution): Uint16Array {
  const key = `${mean} ${deviation}`
  const known = tables.get(key)
  if (known) return known
  const table = float32ToFloat16(
    Float32Array.from({ length: TABLE_SIZE }, (_, i) => {
      return mean + deviation * normalQuantile((i + 0.5) / TABLE_SIZE)
    }),
  )
  tables.set(key, table)
  return table
}

/**
 * The inverse of the normal distribution function, by Peter Acklam's rational approximation (relative error below
 * 1.15e-9).
 *
 * @param probability above 0 and below 1
 */
export function normalQuantile(probability: number): number {
  if (probability > 0.5) return -normalQuantile(1 - probability)
  if (probability < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(probability))
    return (
      polynomial(
        q,
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
      ) / polynomial(q, 7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1)
    )
  }
  const q = probability - 0.5
  const r = q * q
  return (
    (q *
      polynomial(
        r,
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
      )) /
    polynomial(
      r,
      -5.447609879822406e1,
      1.615858368580409e2,
      -1.556989798598866e2,
      6.680131188771972e1,
      -1.328068155288572e1,
      1,
    )
  )
}

/** @param coefficients the highest power first */
function polynomial(x: number, ...coefficients: readonly number[]): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)
}
