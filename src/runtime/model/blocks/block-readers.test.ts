import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AffineQuantization,
  asUint16Array,
  asUint32Array,
  dequantizeRows,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  MemoryFiles,
  openCheckpoint,
  quantizedTensors,
  type TensorWithBytes,
  toFloat32,
  writeSafetensors,
} from '../../../checkpoint/index.js'
import { Gpu } from '../../../gpu/index.js'
import { randomNormal, randomSource } from '../../../kernels/testing/numbers.js'
import { allocateSlices } from '../weight-slices.js'
import { BlockContext, type BlockContextOptions } from './block-context.js'
import { announcedMatrix, storedMatrix } from './block-readers.js'
import { MATRIX_PARTS, type MatrixRows, weightFormat } from './matrix-layout.js'

const NAME = 'transformer.encoder.layers.0.mlp.dense_4h_to_h.weight'
/** Two blocks of 64 rows and a rest of an odd number; columns that only divide into groups of 32. */
const [OUT, COLUMNS] = [131, 96]
const SPEC = { name: NAME, shape: [OUT, COLUMNS] }

/** A matrix as it is stored, and what it is to become. */
interface Kind {
  readonly title: string
  readonly config: object
  readonly tensors: readonly TensorWithBytes[]
  readonly wanted?: AffineQuantization
  readonly after: AffineQuantization | undefined
  /** Its elements after it is loaded, where they are known exactly. */
  readonly elements?: Float32Array
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

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
  official(4),
  official(8),
  floats('F16'),
  floats('BF16'),
  floats('F32'),
  floats('F16', { bits: 4, groupSize: 64 }),
  floats('BF16', { bits: 8, groupSize: 32 }),
  floats('F32', { bits: 4, groupSize: 32 }),
]

async function checkpointOf({ config, tensors }: Pick<Kind, 'config' | 'tensors'>) {
  const files = new MemoryFiles([['config.json', new TextEncoder().encode(JSON.stringify(config))]])
  await writeSafetensors(files, 'model.safetensors', tensors)
  return openCheckpoint(files)
}

/** The parts of rows that blocks gave, each put together in the order of the blocks. */
async function joined(blocks: readonly { read(): Promise<MatrixRows> }[]): Promise<Record<string, Buffer>> {
  const rows = await Promise.all(blocks.map((block) => block.read()))
  const parts = MATRIX_PARTS.map((part) => [part, Buffer.concat(rows.map((one) => one[part] ?? Buffer.of()))])
  return Object.fromEntries(parts) as Record<string, Buffer>
}

let gpu: Gpu
beforeAll(async () => {
  gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
})
afterAll(() => gpu?.dispose())

async function open(kind: Kind, options?: BlockContextOptions) {
  const checkpoint = await checkpointOf(kind)
  const stored = storedMatrix(checkpoint, SPEC)
  const context = new BlockContext(gpu, checkpoint, options)
  return { stored, context, reader: await stored.rows(context, stored.quantizationAfter(kind.wanted)) }
}

describe.each(KINDS)('a matrix of the kind $title', (kind) => {
  it('is known by config.json as it is by its tensors', async () => {
    const { stored, context } = await open(kind)
    expect(stored.quantizationAfter(kind.wanted)).toEqual(kind.after)
    const announced = announcedMatrix(kind.config, SPEC)
    expect(announced.quantizationAfter(kind.wanted)).toEqual(kind.after)
    expect(announced.bits).toBe(stored.bits)
    expect(stored.tensors.map(({ name }) => name)).toEqual(kind.tensors.map(({ name }) => name))
    context.dispose()
  })

  it('has the same words in any range of rows as in the whole, and its elements', async () => {
    let read = 0
    const { reader, context, stored } = await open(kind, { onRead: (bytes) => (read += bytes) })
    const whole = await joined(reader.blocks({ firstRow: 0, rows: OUT }))
    expect(read).toBe(stored.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0))
    if (kind.elements && kind.after) {
      const words = asUint32Array(whole.weight)
      const groups = [asUint16Array(whole.scales), asUint16Array(whole.biases)] as const
      // + 0 makes zeros of both signs equal.
      const elements = dequantizeRows(words, ...groups, kind.after).map((value) => value + 0)
      expect(elements).toEqual(kind.elements.map((value) => value + 0))
    } else if (kind.elements) {
      expect(float16ToFloat32(asUint16Array(whole.weight))).toEqual(kind.elements)
    }
    const ranges = fc
      .tuple(fc.nat(OUT - 1), fc.nat(OUT - 1))
      .map(([a, b]) => ({ firstRow: Math.min(a, b), rows: Math.abs(a - b) + 1 }))
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const parts = await joined(reader.blocks(range))
        for (const part of MATRIX_PARTS) {
          const bytesPerRow = whole[part].length / OUT
          const end = (range.firstRow + range.rows) * bytesPerRow
          expect(parts[part].equals(whole[part].subarray(range.firstRow * bytesPerRow, end))).toBe(true)
        }
      }),
      { numRuns: 12 },
    )
    await reader.finish()
    context.dispose()
  })

  it('has the same words on the GPU, in several slices', async () => {
    const { reader, context } = await open(kind)
    const whole = await joined(reader.blocks({ firstRow: 0, rows: OUT }))
    const parts = MATRIX_PARTS.map((): Buffer[] => [])
    for (const [firstRow, rows] of [
      [0, 64],
      [64, 64],
      [128, 3],
    ]) {
      const [allocated] = allocateSlices(gpu, NAME, weightFormat(kind.after), [rows, COLUMNS])
      const slice = { ...allocated, firstRow }
      const waiting = await Promise.all(reader.blocks(slice).map((block) => block.load(slice)))
      expect(waiting.every((bytes) => bytes > 0)).toBe(true)
      for (const [index, part] of MATRIX_PARTS.entries()) {
        const buffer = slice.buffers[part]
        if (!buffer) continue
        const byteLength = (whole[part].length / OUT) * rows
        parts[index].push(Buffer.from(await gpu.read(buffer)).subarray(0, byteLength))
        gpu.free(buffer)
      }
    }
    await reader.finish()
    for (const [index, part] of MATRIX_PARTS.entries()) {
      expect(Buffer.concat(parts[index]).equals(whole[part])).toBe(true)
    }
    context.dispose()
  })

  it('is read no further after an abort', async () => {
    const controller = new AbortController()
    const { reader, context } = await open(kind, { signal: controller.signal })
    const [slice] = allocateSlices(gpu, NAME, weightFormat(kind.after), SPEC.shape)
    const [block] = reader.blocks(slice)
    await block.read()
    controller.abort(new Error('stopped by the test'))
    await expect(block.read()).rejects.toThrow('stopped by the test')
    await expect(block.load(slice)).rejects.toThrow('stopped by the test')
    for (const part of MATRIX_PARTS) if (slice.buffers[part]) gpu.free(slice.buffers[part])
    context.dispose()
  })
})

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
