import { describe, expect, it } from 'vitest'
import {
  type AffineQuantization,
  asUint32Array,
  dequantizeRows,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  quantizedTensors,
  type StoredQuantization,
  type TensorWithBytes,
  toFloat32,
} from '../../../checkpoint/index.js'
import { randomNormal, randomSource } from '../../../kernels/testing/numbers.js'
import { BlockContext } from './block-context.js'
import { announcedMatrix, storedMatrix } from './block-readers.js'
import {
  bytesOf,
  COLUMNS,
  checkpointOf,
  describeKind,
  gpu,
  joined,
  type Kind,
  NAME,
  OUT,
  open,
} from './testing/describe-kind.js'

function randomBytes(count: number, seed: number): Uint8Array {
  const random = randomSource(seed)
  return Uint8Array.from({ length: count }, () => random() * 256)
}

const halves = (count: number, seed: number) => float32ToFloat16(randomNormal(count, seed, 0.1))

function affine(bits: 4 | 8): Kind {
  const after = { bits, groupSize: 32 } as const
  const weight = randomBytes((OUT * COLUMNS * bits) / 8, 1)
  const [scales, biases] = [halves((OUT * COLUMNS) / 32, 2), halves((OUT * COLUMNS) / 32, 3)]
  const bytes = [weight, bytesOf(scales), bytesOf(biases)]
  const tensors = quantizedTensors(NAME, [OUT, COLUMNS], after).map((one, i) => ({ ...one, bytes: bytes[i] }))
  const elements = dequantizeRows(asUint32Array(weight), scales, biases, after)
  const config = { quantization: { bits, group_size: 32 } }
  // What is quantized stays as it is, whatever is wanted.
  return { title: `affine ${bits}`, config, tensors, wanted: { bits: 8, groupSize: 64 }, after, elements }
}

/** MLX's other forms: integers of any bits, scales of any floats, larger groups. */
function mlx(bits: StoredQuantization['bits'], dtype: 'F16' | 'BF16' | 'F32', groupSize: 32 | 128): Kind {
  const columns = 256
  const weight = randomBytes((OUT * columns * bits) / 8, 7)
  const groups = [OUT, columns / groupSize]
  const stored = { F16: float32ToFloat16, BF16: float32ToBfloat16, F32: (same: Float32Array) => same }[dtype]
  const numbers = [8, 9].map((seed) => bytesOf(stored(randomNormal(groups[0] * groups[1], seed, 0.1))))
  const [scales, biases] = numbers.map((bytes) => float16ToFloat32(float32ToFloat16(toFloat32(bytes, dtype))))
  // Bit by bit, from the lowest of the first byte on.
  const bit = (at: number) => Math.floor(weight[Math.floor(at / 8)] / 2 ** (at % 8)) % 2
  const elements = Float32Array.from({ length: OUT * columns }, (_, i) => {
    let q = 0
    for (let k = 0; k < bits; k++) q += bit(i * bits + k) * 2 ** k
    const group = Math.floor(i / groupSize)
    return scales[group] * q + biases[group]
  })
  const base = NAME.replace('.weight', '')
  const exception = { bits, group_size: groupSize, mode: 'affine' }
  return {
    title: `MLX ${bits} bits, scales in ${dtype}, groups of ${groupSize}`,
    config: { quantization: { bits: 4, group_size: 64, [base]: exception } },
    columns,
    tensors: [
      { name: NAME, dtype: 'U32', shape: [OUT, (columns * bits) / 32], bytes: weight },
      { name: `${base}.scales`, dtype, shape: groups, bytes: numbers[0] },
      { name: `${base}.biases`, dtype, shape: groups, bytes: numbers[1] },
    ],
    after: { bits: bits <= 4 ? 4 : 8, groupSize },
    elements,
  }
}

function official(bits: 4 | 8): Kind {
  const q = Int8Array.from(
    randomBytes(OUT * COLUMNS, 4),
    (byte) => (byte % (2 ** bits - 1)) - 2 ** (bits - 1) + 1,
  )
  const nibbles = () =>
    Int8Array.from({ length: q.length / 2 }, (_, i) => (q[2 * i] << 4) | (q[2 * i + 1] & 15))
  const scales = halves(OUT, 5)
  const scale = float16ToFloat32(scales)
  const shape = [OUT, (COLUMNS * bits) / 8]
  return {
    title: `official ${bits}`,
    config: { quantization_bit: bits },
    tensors: [
      { name: NAME, dtype: 'I8', shape, bytes: bytesOf(bits === 8 ? q : nibbles()) },
      { name: `${NAME}_scale`, dtype: 'F16', shape: [OUT], bytes: bytesOf(scales) },
    ],
    after: { bits, groupSize: 32 },
    elements: Float32Array.from(q, (value, i) => scale[Math.floor(i / COLUMNS)] * value),
  }
}

function floats(dtype: 'F16' | 'BF16' | 'F32', wanted?: AffineQuantization): Kind {
  const values = randomNormal(OUT * COLUMNS, 6)
  const stored = {
    F16: () => float32ToFloat16(values),
    BF16: () => float32ToBfloat16(values),
    F32: () => values,
  }[dtype]()
  const bytes = bytesOf(stored)
  return {
    title: wanted ? `${dtype} quantized to ${wanted.bits} bits` : dtype,
    config: {},
    tensors: [{ name: NAME, dtype, shape: [OUT, COLUMNS], bytes }],
    ...(wanted && { wanted }),
    after: wanted && { bits: wanted.bits, groupSize: 32 },
    ...(!wanted && { elements: float16ToFloat32(float32ToFloat16(toFloat32(bytes, dtype))) }),
  }
}

const KINDS: readonly Kind[] = [
  affine(4),
  affine(8),
  mlx(2, 'F16', 32),
  mlx(3, 'F16', 32),
  mlx(5, 'F32', 128),
  mlx(6, 'BF16', 32),
  mlx(4, 'BF16', 128),
  mlx(8, 'F32', 32),
  official(4),
  official(8),
  floats('F16'),
  floats('BF16'),
  floats('F32'),
  floats('F16', { bits: 4, groupSize: 64 }),
  floats('BF16', { bits: 8, groupSize: 32 }),
  floats('F32', { bits: 4, groupSize: 32 }),
]

for (const kind of KINDS) describeKind(kind)

describe('a matrix that is larger than a chunk', () => {
  it('is read in blocks of whole rows', async () => {
    const [rows, columns] = [67, 2 ** 17]
    const values = Uint16Array.from({ length: rows * columns }, (_, i) => (i * 7919) % 0x7c00)
    const tensors = [{ name: NAME, dtype: 'F16', shape: [rows, columns], bytes: bytesOf(values) }] as const
    const checkpoint = await checkpointOf({ config: {}, tensors })
    const stored = storedMatrix(checkpoint, { name: NAME, shape: [rows, columns] })
    const reader = await stored.rows(new BlockContext(gpu, checkpoint), undefined)
    const blocks = reader.blocks({ firstRow: 0, rows })
    expect(blocks.map((block) => [block.firstRow, block.rows])).toEqual([
      [0, 64],
      [64, 3],
    ])
    expect((await joined(blocks)).weight.equals(bytesOf(values))).toBe(true)
  })
})

describe('what cannot be read', () => {
  it('is named: a matrix of another shape', async () => {
    for (const kind of [affine(4), official(4), floats('F16')]) {
      const checkpoint = await checkpointOf(kind)
      expect(() => storedMatrix(checkpoint, { name: NAME, shape: [OUT, 128] })).toThrow(
        expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
      )
    }
  })

  it('is named: scales beyond float16', async () => {
    const kind = mlx(4, 'BF16', 32)
    kind.tensors[1].bytes.set([0x80, 0x7f])
    const { reader, context } = await open(kind)
    await expect(joined(reader.blocks({ firstRow: 0, rows: OUT }))).rejects.toMatchObject({
      code: 'checkpoint.not-quantizable',
    })
    context.dispose()
  })

  it('is named: official integers whose rows do not divide into groups', async () => {
    const config = { quantization_bit: 8 }
    const tensors: TensorWithBytes[] = [
      { name: NAME, dtype: 'I8', shape: [2, 72], bytes: new Uint8Array(144) },
      { name: `${NAME}_scale`, dtype: 'F16', shape: [2], bytes: new Uint8Array(4) },
    ]
    const checkpoint = await checkpointOf({ config, tensors })
    const spec = { name: NAME, shape: [2, 72] }
    expect(() => storedMatrix(checkpoint, spec)).toThrow(
      expect.objectContaining({ code: 'checkpoint.not-quantizable' }),
    )
    expect(() => announcedMatrix(config, spec)).toThrow('72 columns')
  })

  it('is named after all its rows: floats that are no numbers', async () => {
    const kind = floats('F32', { bits: 4, groupSize: 32 })
    new Float32Array(kind.tensors[0].bytes.buffer)[200] = Number.NaN
    const { reader, context } = await open(kind)
    await joined(reader.blocks({ firstRow: 0, rows: OUT }))
    await expect(reader.finish()).rejects.toMatchObject({ code: 'checkpoint.not-quantizable' })
    context.dispose()
  })
})

describe('config.json of the official quantization', () => {
  it('is about the layers: embedding and output layer are floats', () => {
    const output = { name: 'transformer.output_layer.weight', shape: [320, 64] }
    const wanted = { bits: 8, groupSize: 64 } as const
    const announced = announcedMatrix({ quantization_bit: 4 }, output)
    expect(announced.bits).toBeUndefined()
    expect(announced.quantizationAfter(undefined)).toBeUndefined()
    expect(announced.quantizationAfter(wanted)).toEqual(wanted)
  })

  it('keeps its bits, whatever is wanted, and has groups of the wanted size at most', () => {
    const layer = announcedMatrix({ quantization_bit: 4 }, { name: NAME, shape: [64, 128] })
    expect(layer.quantizationAfter(undefined)).toEqual({ bits: 4, groupSize: 64 })
    expect(layer.quantizationAfter({ bits: 8, groupSize: 32 })).toEqual({ bits: 4, groupSize: 32 })
  })
})
