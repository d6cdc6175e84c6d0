import { expect, it } from 'vitest'
import { ropeTable } from '../../attention/rope/rope.js'
import { ropeReference } from '../../attention/rope/rope.reference.js'
import { floatToHalf, packHalves, unpackHalves } from '../../common/half.js'
import { rmsNormReference } from '../../layers/rms-norm/rms-norm.reference.js'
import { describeOnGpu, type TestGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileLora, LORA_OCTET, type LoraConstants } from './lora.js'
import { type LoraFactors, loraReference } from './lora.reference.js'

const TOLERANCE = 3e-6

/** Numbers that f16 holds. */
function randomHalves(count: number, seed: number): Float32Array {
  const words = packHalves(randomNormal(count, seed, 0.2))
  return unpackHalves(words, count)
}

interface Adapter extends LoraFactors {
  readonly rank: number
}

function adapterOf(
  { inFeatures, outFeatures }: LoraConstants,
  rank: number,
  scale: number,
  seed: number,
): Adapter {
  return {
    rank,
    scale,
    a: randomHalves(rank * inFeatures, seed),
    b: randomHalves(outFeatures * rank, seed + 1),
  }
}

const octetsOf = (count: number) => Math.ceil(count / LORA_OCTET)

/** Factors and products as the kernel reads them. */
function pack(adapters: readonly Adapter[], { inFeatures, outFeatures }: LoraConstants) {
  const halves: number[] = []
  const products = new Uint32Array(4 * adapters.length)
  adapters.forEach(({ a, b, rank, scale }, index) => {
    const octets = octetsOf(rank)
    const first = halves.length / LORA_OCTET
    const width = octetsOf(inFeatures) * LORA_OCTET
    const firstOfB = first + LORA_OCTET * octets * octetsOf(inFeatures)
    for (let j = 0; j < octets * LORA_OCTET; j++) {
      for (let i = 0; i < width; i++) {
        halves.push(j < rank && i < inFeatures ? floatToHalf(a[j * inFeatures + i]) : 0)
      }
    }
    for (let n = 0; n < outFeatures; n++) {
      for (let j = 0; j < octets * LORA_OCTET; j++) halves.push(j < rank ? floatToHalf(b[n * rank + j]) : 0)
    }
    products.set([first, firstOfB, octets], 4 * index)
    new Float32Array(products.buffer)[4 * index + 3] = scale
  })
  const words = new Uint32Array(Math.max(4, halves.length / 2))
  halves.forEach((half, i) => {
    words[i >> 1] |= half << (16 * (i & 1))
  })
  return { factors: words, products }
}

function slotWords(slots: readonly { adapter?: number; strength: number }[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(2 * slots.length)
  slots.forEach(({ adapter, strength }, i) => {
    words[2 * i] = adapter === undefined ? 0 : adapter + 1
    new Float32Array(words.buffer)[2 * i + 1] = strength
  })
  return words
}

const SLOTS = [{ strength: 1 }, { adapter: 1, strength: 0.5 }, { adapter: 0, strength: 1 }]
/** The slot and the position of each row. */
const ROWS = [
  { slot: 2, position: 41 },
  { slot: 0, position: 5 },
  { slot: 1, position: 3 },
  { slot: 2, position: 42 },
]

function inputs(test: TestGpu, adapters: readonly Adapter[], constants: LoraConstants) {
  const { factors, products } = pack(adapters, constants)
  return {
    factors: test.input(factors, 'factors'),
    products: test.input(products, 'products'),
    slots: test.input(slotWords(SLOTS), 'slots'),
    rows: test.input(new Uint32Array(ROWS.flatMap(({ slot, position }) => [0, slot, position, 0])), 'rows'),
  }
}

/** What each row gets added, [rows, outFeatures]. */
function terms(x: Float32Array | Float64Array, adapters: readonly Adapter[], constants: LoraConstants) {
  const { inFeatures, outFeatures } = constants
  return ROWS.flatMap(({ slot }, row) => {
    const { adapter, strength } = SLOTS[slot]
    if (adapter === undefined) return new Array<number>(outFeatures).fill(0)
    const { scale, ...factors } = adapters[adapter]
    const input = x.subarray(row * inFeatures, (row + 1) * inFeatures)
    return [...loraReference(input, { ...factors, scale: scale * strength })]
  })
}

describeOnGpu('LoRA', (test) => {
  for (const [inFeatures, outFeatures, ranks, maxRows] of [
    [8, 4, [1, 8], 4],
    [36, 264, [8, 3], 4],
    [264, 36, [17, 8], 128],
  ] as const) {
    it(`adds to each row its adapter's term: ranks ${ranks} of ${inFeatures} x ${outFeatures}`, async () => {
      const maxRank = Math.max(...ranks.map(octetsOf)) * LORA_OCTET
      const constants = { inFeatures, outFeatures, maxRank, maxRows }
      const adapters = ranks.map((rank, i) => adapterOf(constants, rank, 2 - i, 10 * i))
      const x = randomNormal(ROWS.length * inFeatures, 1)
      const before = randomNormal(ROWS.length * outFeatures, 2)
      const kernel = await compileLora(test().gpu, constants)
      const y = test().input(before, 'y')
      const buffers = { ...inputs(test(), adapters, constants), x: test().input(x, 'x'), y }
      test().run(kernel.bind('lora', buffers), ROWS.length)
      const added = terms(x, adapters, constants)
      const sum = before.map((value, i) => value + added[i])
      expectClose(await test().floats(y), sum, TOLERANCE)
    })
  }

  it('leaves a product alone that an adapter has nothing for', async () => {
    const constants = { inFeatures: 8, outFeatures: 8, maxRank: 8, maxRows: 4 }
    const adapters = [adapterOf(constants, 0, 1, 1), adapterOf(constants, 0, 1, 2)]
    const before = randomNormal(ROWS.length * 8, 2)
    const kernel = await compileLora(test().gpu, constants)
    const y = test().input(before, 'y')
    const x = test().input(randomNormal(ROWS.length * 8, 1), 'x')
    test().run(kernel.bind('lora', { ...inputs(test(), adapters, constants), x, y }), ROWS.length)
    expect(await test().floats(y)).toEqual(before)
  })

  it('takes the norm of the residual stream, and turns what it adds as the product was turned', async () => {
    const heads = { heads: 2, kvGroups: 1, headDim: 16 }
    const [inFeatures, outFeatures, epsilon] = [40, 64, 1e-5]
    const constants = { inFeatures, outFeatures, maxRank: 8, maxRows: 4, normEpsilon: epsilon, turned: heads }
    const adapters = [adapterOf(constants, 8, 2, 3), adapterOf(constants, 4, 1, 5)]
    const hidden = randomNormal(ROWS.length * inFeatures, 1, 3)
    const norm = packHalves(randomNormal(inFeatures, 7))
    const before = randomNormal(ROWS.length * outFeatures, 2)
    const table = ropeTable(64, heads.headDim, 10_000)
    const kernel = await compileLora(test().gpu, constants)
    const y = test().input(before, 'y')
    const buffers = {
      ...inputs(test(), adapters, constants),
      x: test().input(hidden, 'hidden'),
      normWeight: test().input(norm, 'norm'),
      ropeTable: test().input(table, 'rope table'),
      y,
    }
    test().run(kernel.bind('lora', buffers), ROWS.length)
    const normed = rmsNormReference(hidden, unpackHalves(norm, inFeatures), epsilon)
    const positions = ROWS.map(({ position }) => position)
    const added = ropeReference(terms(normed, adapters, constants), positions, heads, 10_000)
    const sum = before.map((value, i) => value + added[i])
    expectClose(await test().floats(y), sum, TOLERANCE)
  })

  it('names sizes that it cannot run', async () => {
    const constants = { inFeatures: 8, outFeatures: 8, maxRank: 4, maxRows: 4 }
    await expect(compileLora(test().gpu, constants)).rejects.toMatchObject({ code: 'option.kernel-argument' })
  })
})
