/** Grids on which the elements of a block are put: w = scale * (q - zero), q of `bits` bits. */
export interface BlockGrids {
  readonly bits: 4 | 8
  /** Neighbours of a row that share a grid. */
  readonly blockSize: number
  /** A whole zero for each block, or 2^(bits - 1) for all. */
  readonly zero: 'any' | 'middle'
}

/** Adding and subtracting it rounds a float64 of moderate size to the nearest whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 52
/** Multiplying by it and subtracting leaves the 11 bits of a float64 that float16 has (Veltkamp's splitting). */
const SPLITTER = 2 ** 42 + 1
const HALF_SMALLEST_NORMAL = 2 ** -14
const HALF_LARGEST = 65504

/** The nearest number that float16 has, infinity excepted. */
export function roundToHalf(value: number): number {
  const magnitude = Math.abs(value)
  if (magnitude < HALF_SMALLEST_NORMAL) return (value * 2 ** 24 + ROUNDER - ROUNDER) * 2 ** -24
  if (!(magnitude < HALF_LARGEST)) return value > 0 ? HALF_LARGEST : -HALF_LARGEST
  const split = value * SPLITTER
  return split - (split - value)
}

/**
 * Finds a grid for one block after the other, and the integers on it. The result is in its fields, which the next call
 * changes: a model has 200 million blocks.
 */
export class BlockQuantizer {
  /** q of each element; of those behind the end of a row, what stands for 0. */
  integers: Uint8Array
  /** A float16 number. */
  scale = 0
  zero = 0
  /** Sums over the block: of squared differences from what was given, and of its squares. */
  squaredError = 0
  squares = 0
  readonly #grids: BlockGrids
  readonly #levels: number
  readonly #middle: number
  #others: Uint8Array

  constructor(grids: BlockGrids) {
    this.#grids = grids
    this.#levels = 2 ** grids.bits - 1
    this.#middle = 2 ** (grids.bits - 1)
    this.integers = new Uint8Array(grids.blockSize)
    this.#others = new Uint8Array(grids.blockSize)
  }

  /**
   * Takes the grid on which the block lies already, w = storedScale * q + storedBias, if it is one of these: then nothing
   * is lost. Otherwise tries the grid that just holds all elements and 0, and that with the scale of the least squared
   * error for the integers of the first.
   * @param storedScale 0 where the block lies on no grid
   */
  fit(values: Float32Array, begin: number, end: number, storedScale: number, storedBias: number): void {
    let low = 0
    let high = 0
    let squares = 0
    for (let i = begin; i < end; i++) {
      const value = values[i]
      if (value < low) low = value
      else if (value > high) high = value
      squares += value * value
    }
    this.squares = squares
    const storedZero = storedScale === 0 ? Number.NaN : -storedBias / storedScale
    if (this.#isZero(storedZero)) {
      this.#put(values, begin, end, storedScale, storedZero)
      return
    }
    const scale = this.#scaleOf(low, high)
    const zero =
      this.#grids.zero === 'middle' ? this.#middle : Math.min(this.#levels, Math.round(-low / scale))
    if (scale === 0 || !Number.isFinite(squares)) {
      this.#putZeros(squares)
      return
    }
    const best = this.#put(values, begin, end, scale, zero)
    if (best === scale || best === 0) return
    const first = this.squaredError
    const integers = this.integers
    this.integers = this.#others
    this.#others = integers
    this.#put(values, begin, end, best, zero)
    if (this.squaredError < first) return
    this.#others = this.integers
    this.integers = integers
    this.scale = scale
    this.squaredError = first
  }

  #isZero(zero: number): boolean {
    if (this.#grids.zero === 'middle') return zero === this.#middle
    return zero >= 0 && zero <= this.#levels && Number.isInteger(zero)
  }

  /** The scale of a grid that reaches from `low` <= 0 to `high` >= 0. */
  #scaleOf(low: number, high: number): number {
    const { zero, bits } = this.#grids
    if (zero === 'any') return roundToHalf((high - low) / this.#levels)
    // Below the middle there is one integer more than above it. Of 8 bits nobody uses it.
    if (bits === 4) return roundToHalf((high > -low ? high : low) / -this.#middle)
    return roundToHalf(Math.max(high, -low) / (this.#middle - 1))
  }

  /** Puts the elements on a grid. @returns the scale that would fit their integers best */
  #put(values: Float32Array, begin: number, end: number, scale: number, zero: number): number {
    const integers = this.integers
    const levels = this.#levels
    const inverse = 1 / scale
    const shift = zero + 0.5
    let products = 0
    let steps = 0
    let error = 0
    for (let i = begin; i < end; i++) {
      const value = values[i]
      // Below 0 only by rounding, which truncation takes away.
      let q = (value * inverse + shift) | 0
      if (q > levels) q = levels
      else if (q < 0) q = 0
      integers[i - begin] = q
      const step = q - zero
      const difference = value - scale * step
      products += value * step
      steps += step * step
      error += difference * difference
    }
    for (let i = end - begin; i < integers.length; i++) integers[i] = zero
    this.scale = scale
    this.zero = zero
    this.squaredError = error
    return steps > 0 ? roundToHalf(products / steps) : 0
  }

  #putZeros(squares: number): void {
    this.scale = 0
    this.zero = this.#grids.zero === 'middle' ? this.#middle : 0
    this.integers.fill(this.zero)
    this.squaredError = squares
  }
}
