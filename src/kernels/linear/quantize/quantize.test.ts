import { expect, it } from 'vitest'
import { floatToHalf, halfToFloat, packHalves, unpackHalves } from '../../common/half.js'
import { describeOnGpu, type TestGpu } from '../../testing/gpu.js'
import { randomNormal } from '../../testing/numbers.js'
import { compileQuantize, type QuantizeConstants } from './quantize.js'
import {
  dequantizeReference,
  type Quantized,
  quantizeReference,
  relativeError,
} from './quantize.reference.js'

/** Student's t with 5 degrees of freedom: heavier tails than the normal distribution, as weights have them. */
function randomStudent(count: number, seed: number): Float32Array<ArrayBuffer> {
  const normal = randomNormal(count, seed)
  const squares = Array.from({ length: 5 }, (_, i) => randomNormal(count, seed * 100 + i + 1))
  return normal.map((z, i) => z / Math.sqrt(squares.reduce((sum, values) => sum + values[i] ** 2, 0) / 5))
}

/** Words of a source, and the values they hold. */
function asSource(values: Float32Array<ArrayBuffer>, type: QuantizeConstants['sourceType']) {
  if (type === 'f32') return { words: new Uint32Array(values.buffer), values }
  if (type === 'f16') {
    const words = packHalves(values)
    return { words, values: unpackHalves(words, values.length) }
  }
  const bits = new Uint32Array(values.buffer)
  const words = new Uint32Array(values.length / 2)
  for (let i = 0; i < values.length; i++) words[i >> 1] |= (bits[i] >>> 16) << ((i & 1) * 16)
  return { words, values: new Float32Array(bits.map((word) => word & 0xffff_0000).buffer) }
}

const CONSTANTS = { sourceType: 'f32', bits: 4, groupSize: 64, columns: 64 } as const

async function quantize(
  test: TestGpu,
  words: Uint32Array<ArrayBuffer>,
  constants: QuantizeConstants = CONSTANTS,
) {
  const { sourceType, bits, groupSize, columns } = constants
  const count = sourceType === 'f32' ? words.length : words.length * 2
  const rows = count / columns
  const groups = count / groupSize
  const kernel = await compileQuantize(test.gpu, constants)
  const problems = test.input(new Uint32Array(2), 'problems')
  const weight = test.output((count * bits) / 32, 'weight')
  const scales = test.output(Math.ceil(groups / 2), 'scales')
  const biases = test.output(Math.ceil(groups / 2), 'biases')
  const source = test.input(words, 'source')
  const block = test.input(Uint32Array.of(rows), 'block')
  test.run(kernel.bind('quantize', { source, block, weight, scales, biases, problems }), rows)
  const halves = async (buffer: GPUBuffer) =>
    Float64Array.from(unpackHalves(await test.words(buffer), groups))
  const result: Quantized = {
    weight: await test.words(weight),
    scales: await halves(scales),
    biases: await halves(biases),
  }
  const odd = groups % 2 ? [...(await test.words(scales)), ...(await test.words(biases))] : []
  const padding = odd.length ? [odd[odd.length / 2 - 1] >>> 16, odd[odd.length - 1] >>> 16] : []
  return {
    ...result,
    values: dequantizeReference(result, bits, groupSize),
    problems: [...(await test.words(problems))],
    padding,
  }
}

describeOnGpu('quantization', (test) => {
  for (const [sourceType, bits, groupSize, rows, columns] of [
    ['f32', 4, 64, 3, 64],
    ['f16', 4, 64, 5, 64],
    ['bf16', 4, 32, 7, 96],
    ['f32', 8, 64, 1, 64],
    ['f16', 8, 32, 9, 160],
  ] as const) {
    it(`of ${rows} rows of ${columns} ${sourceType} to ${bits} bits in groups of ${groupSize} equals the reference`, async () => {
      const { words, values } = asSource(randomNormal(rows * columns, 8, 0.03), sourceType)
      const result = await quantize(test(), words, { sourceType, bits, groupSize, columns })
      const expected = dequantizeReference(quantizeReference(values, bits, groupSize), bits, groupSize)
      const error = relativeError(result.values, values)
      const expectedError = relativeError(expected, values)
      expect(Math.abs(error / expectedError - 1)).toBeLessThan(1e-3)
      expect(result.problems).toEqual([0, 0])
      expect(result.padding.every((half) => half === 0)).toBe(true)
    })
  }

  for (const [name, distribution, bits, limit] of [
    ['normally distributed', randomNormal, 4, 0.083],
    ['Student-t distributed', randomStudent, 4, 0.103],
    ['normally distributed', randomNormal, 8, 0.006],
  ] as const) {
    it(`of ${name} numbers to ${bits} bits is off by less than ${limit} of their size`, async () => {
      for (const seed of [1, 2]) {
        const { words, values } = asSource(distribution(256 * 64, seed), 'f32')
        const result = await quantize(test(), words, { ...CONSTANTS, bits })
        const error = relativeError(result.values, values)
        expect(error).toBeLessThan(limit)
        const expected = dequantizeReference(quantizeReference(values, bits, 64), bits, 64)
        expect(Math.abs(error / relativeError(expected, values) - 1)).toBeLessThan(1e-3)
      }
    })
  }

  for (const bits of [4, 8] as const) {
    it(`gives back every number that already lies on a grid of ${bits} bits`, async () => {
      const levels = 2 ** bits - 1
      const grids = [
        [0.0123, -0.09],
        [2 ** -24, -3e-7],
        [1.5, 1000],
        [250, -60000],
        [6e-5, 0],
      ].map(([scale, bias]) => [halfToFloat(floatToHalf(scale)), halfToFloat(floatToHalf(bias))])
      // The grid's both ends and numbers between, in no order.
      const values = Float32Array.from(
        grids.flatMap(([scale, bias]) =>
          Array.from({ length: 64 }, (_, i) => scale * Math.floor(((i * 29) % 64) * (levels / 63)) + bias),
        ),
      )
      const { words } = asSource(values, 'f32')
      const result = await quantize(test(), words, { ...CONSTANTS, bits })
      expect(result.values).toEqual(Float64Array.from(values))
      expect(quantizeReference(values, bits, 64).weight).toEqual(result.weight)
    })
  }

  it('gives its own result back', async () => {
    const { words } = asSource(randomNormal(64 * 64, 5), 'f32')
    const once = await quantize(test(), words)
    const again = await quantize(test(), asSource(Float32Array.from(once.values), 'f32').words)
    expect(again.values).toEqual(once.values)
  })

  it('is exact for equal numbers, zeros of both signs included', async () => {
    const numbers = [0, -0, 1, -3.5, 65504, 2 ** -24, -(2 ** -14), 0.1]
    const values = Float32Array.from({ length: numbers.length * 64 }, (_, i) => numbers[i >> 6])
    const { words, values: halves } = asSource(values, 'f16')
    const result = await quantize(test(), words, { ...CONSTANTS, sourceType: 'f16' })
    expect(result.values.every((value, i) => value === halves[i])).toBe(true)
  })

  it('splits equal numbers that f16 cannot hold over bias and scale', async () => {
    const numbers = [0.1, -1000.3, 1e-3]
    const values = Float32Array.from({ length: numbers.length * 64 }, (_, i) => numbers[i >> 6])
    const result = await quantize(test(), asSource(values, 'f32').words)
    expect(relativeError(result.values, values)).toBeLessThan(1e-6)
  })

  it('of numbers near the smallest of f16 uses scales of a few times the smallest', async () => {
    const values = randomNormal(64 * 8, 6, 2e-7)
    const result = await quantize(test(), asSource(values, 'f32').words)
    const expected = dequantizeReference(quantizeReference(values, 4, 64), 4, 64)
    expect(result.values).toEqual(expected)
    expect(result.scales.every((scale) => scale >= 2 ** -24 && scale <= 2 ** -22)).toBe(true)
    expect(relativeError(result.values, values)).toBeLessThan(0.25)
  })

  it('counts numbers beyond the range of f16 and takes them for its ends', async () => {
    const values = randomNormal(64 * 3, 7)
    values[0] = 1e6
    values[70] = -3e38
    values[130] = 65504
    const result = await quantize(test(), asSource(values, 'f32').words)
    expect(result.problems).toEqual([0, 2])
    const ends = [result.values[0] / 65504, result.values[70] / -65504]
    for (const end of ends) expect(Math.abs(end - 1)).toBeLessThan(1e-3)
    expect(result.values.every(Number.isFinite)).toBe(true)
  })

  for (const sourceType of ['f32', 'f16', 'bf16'] as const) {
    it(`counts ${sourceType} numbers that are not finite and takes them for zero`, async () => {
      const plain = randomNormal(64 * 2, 9)
      const broken = Float32Array.from(plain)
      const places = [3, 64, 100, 127]
      const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]
      places.forEach((place, i) => {
        plain[place] = 0
        broken[place] = bad[i]
      })
      const constants = { ...CONSTANTS, sourceType }
      const result = await quantize(test(), asSource(broken, sourceType).words, constants)
      const expected = await quantize(test(), asSource(plain, sourceType).words, constants)
      expect(result.problems).toEqual([4, 0])
      expect(result.weight).toEqual(expected.weight)
      expect(result.values).toEqual(expected.values)
    })
  }

  it('rejects rows that do not divide into groups', async () => {
    const constants = { ...CONSTANTS, columns: 96 }
    await expect(compileQuantize(test().gpu, constants)).rejects.toThrow('96 columns')
  })
})
