import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type BlockType,
  blockLayout,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../../checkpoint/index.js'
import { randomNormal } from '../../../kernels/testing/numbers.js'
import { storedMatrix } from './block-readers.js'
import { referenceElement } from './ggml.reference.js'
import {
  bytesOf,
  COLUMNS,
  checkpointOf,
  describeKind,
  type Kind,
  NAME,
  OUT,
  open,
} from './testing/describe-kind.js'
import { BLOCK_TYPES, randomBlocks } from './testing/random-blocks.js'

const EXACT: readonly BlockType[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']

function elementsOf(type: BlockType, blocks: Uint8Array): Float64Array {
  const { elements, bytes } = blockLayout(type)
  return Float64Array.from({ length: (blocks.length / bytes) * elements }, (_, i) => {
    const block = Math.floor(i / elements)
    return referenceElement(type, blocks.subarray(block * bytes, (block + 1) * bytes), i % elements)
  })
}

/** What a type may lose: nothing but float32's rounding, float16's of scales, or a step of 8 bits. */
function tolerance(type: BlockType, elements: Float64Array): (index: number) => number {
  if (EXACT.includes(type)) return (index) => Math.abs(elements[index]) * 2 ** -23
  return (index) => {
    const group = elements.subarray(index - (index % 32), index - (index % 32) + 32)
    const [least, most] = [Math.min(0, ...group), Math.max(0, ...group)]
    const rounding = (most - least) * 2 ** -10
    return type === 'Q4_K' || type === 'Q5_K' ? rounding : (most - least) / 250 + rounding
  }
}

function blocksKind(type: BlockType): Kind {
  const { elements: size } = blockLayout(type)
  const columns = size === 256 ? 256 : COLUMNS
  const bytes = randomBlocks(type, (OUT * columns) / size, 11)
  const elements = elementsOf(type, bytes)
  return {
    title: `${type} of a GGUF file`,
    config: {},
    isGguf: true,
    columns,
    tensors: [{ name: NAME, dtype: type, shape: [OUT, columns], bytes }],
    // What is quantized stays as it is, whatever is wanted.
    wanted: { bits: 4, groupSize: 64 },
    after: { bits: ['Q4_0', 'Q4_1', 'Q4_K'].includes(type) ? 4 : 8, groupSize: 32 },
    elements,
    tolerance: tolerance(type, elements),
  }
}

function floatsKind(dtype: 'F16' | 'BF16' | 'F32'): Kind {
  const values = randomNormal(OUT * COLUMNS, 6)
  const stored = { F16: float32ToFloat16, BF16: float32ToBfloat16, F32: (same: Float32Array) => same }[dtype]
  const bytes = bytesOf(stored(values))
  return {
    title: `${dtype} of a GGUF file`,
    config: {},
    isGguf: true,
    tensors: [{ name: NAME, dtype, shape: [OUT, COLUMNS], bytes }],
    after: undefined,
  }
}

for (const type of BLOCK_TYPES) describeKind(blocksKind(type))
for (const dtype of ['F16', 'BF16', 'F32'] as const) describeKind(floatsKind(dtype))

describe('the definition of blocks', () => {
  const file = 'test/fixtures/checkpoint/ggml-blocks.json'
  const fixtures = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>

  it.each(BLOCK_TYPES)('is the one of the package gguf: %s', (type) => {
    const [blocks, values] = ['blocks', 'values'].map((part) => Buffer.from(fixtures[type][part], 'base64'))
    const expected = new Float32Array(new Uint8Array(values).buffer)
    const elements = elementsOf(type, new Uint8Array(blocks))
    expect(elements.length).toBe(expected.length)
    const largest = Math.max(...expected.map(Math.abs))
    for (const [i, value] of elements.entries()) {
      expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(largest * 2 ** -22)
    }
  })
})

describe('what is lost', () => {
  it('is told for the types that lose something, and for no other', async () => {
    for (const type of BLOCK_TYPES) {
      const { stored, context } = await open(blocksKind(type))
      expect(stored.loss === undefined).toBe(EXACT.includes(type))
      context.dispose()
    }
  })
})

describe('what cannot be read', () => {
  it('is named: scales that are not finite, or too large to be taken apart', async () => {
    for (const scale of [Number.NaN, Number.POSITIVE_INFINITY, 60_000]) {
      const kind = blocksKind('Q4_0')
      kind.tensors[0].bytes.set(bytesOf(float32ToFloat16(Float32Array.of(scale))), 18)
      const { reader, context } = await open(kind)
      const [block] = reader.blocks({ firstRow: 0, rows: OUT })
      await expect(block.read()).rejects.toMatchObject({ code: 'checkpoint.not-quantizable' })
      context.dispose()
    }
  })

  it('is named: a matrix of another shape', async () => {
    const checkpoint = await checkpointOf(blocksKind('Q8_0'))
    expect(() => storedMatrix(checkpoint, { name: NAME, shape: [OUT, 128] })).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
  })

  it('keeps the smallest scales exactly: those of float16 without an implied one', async () => {
    const kind = blocksKind('Q8_0')
    for (let block = 0; block < 3; block++) kind.tensors[0].bytes.set([3 + block, 0], block * 34)
    const { reader, context } = await open(kind)
    const { scales, biases } = await reader.blocks({ firstRow: 0, rows: OUT })[0].read()
    const numbers = (bytes: Uint8Array) => [
      ...float16ToFloat32(new Uint16Array(new Uint8Array(bytes.subarray(0, 6)).buffer)),
    ]
    expect(numbers(scales!)).toEqual([3, 4, 5].map((units) => units * 2 ** -24))
    expect(numbers(biases!)).toEqual([3, 4, 5].map((units) => -128 * units * 2 ** -24))
    context.dispose()
  })
})
