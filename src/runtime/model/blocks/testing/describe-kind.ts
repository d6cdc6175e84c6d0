import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AffineQuantization,
  asUint16Array,
  asUint32Array,
  dequantizeRows,
  float16ToFloat32,
  MemoryFiles,
  openCheckpoint,
  type StoredType,
  type TensorWithBytes,
  writeSafetensors,
} from '../../../../checkpoint/index.js'
import { ggufFile } from '../../../../checkpoint/testing.js'
import { Gpu } from '../../../../gpu/index.js'
import { allocateSlices } from '../../weight-slices.js'
import { BlockContext, type BlockContextOptions } from '../block-context.js'
import { announcedMatrix, storedMatrix } from '../block-readers.js'
import { MATRIX_PARTS, type MatrixRows, weightFormat } from '../matrix-layout.js'

export const NAME = 'transformer.encoder.layers.0.mlp.dense_4h_to_h.weight'
/** Two blocks of 64 rows and a rest of an odd number; columns that only divide into groups of 32. */
export const [OUT, COLUMNS] = [131, 96]

/** A tensor of a file of either format. */
export interface StoredTensor extends Omit<TensorWithBytes, 'dtype'> {
  readonly dtype: StoredType
}

/** A matrix as it is stored, and what it is to become. */
export interface Kind {
  readonly title: string
  readonly config: object
  readonly tensors: readonly StoredTensor[]
  /** Whether the tensors are in a GGUF file. */
  readonly isGguf?: true
  /** Where they are not `COLUMNS`. */
  readonly columns?: number
  readonly wanted?: AffineQuantization
  readonly after: AffineQuantization | undefined
  /** Its elements after it is loaded, where they are known. */
  readonly elements?: ArrayLike<number>
  /** By how much an element may differ. By default not at all. */
  readonly tolerance?: (index: number) => number
}

function specOf({ columns = COLUMNS }: Kind) {
  return { name: NAME, shape: [OUT, columns] }
}

export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

export async function checkpointOf({ config, tensors, isGguf }: Pick<Kind, 'config' | 'tensors' | 'isGguf'>) {
  const files = new MemoryFiles([['config.json', new TextEncoder().encode(JSON.stringify(config))]])
  if (!isGguf) {
    await writeSafetensors(files, 'model.safetensors', tensors as readonly TensorWithBytes[])
    return openCheckpoint(files)
  }
  return openCheckpoint(new MemoryFiles([['model.gguf', ggufFile({}, tensors)]]))
}

/** The parts of rows that blocks gave, each put together in the order of the blocks. */
export async function joined(
  blocks: readonly { read(): Promise<MatrixRows> }[],
): Promise<Record<string, Buffer>> {
  const rows = await Promise.all(blocks.map((block) => block.read()))
  const parts = MATRIX_PARTS.map((part) => [part, Buffer.concat(rows.map((one) => one[part] ?? Buffer.of()))])
  return Object.fromEntries(parts) as Record<string, Buffer>
}

export let gpu: Gpu
beforeAll(async () => {
  gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
})
afterAll(() => gpu?.dispose())

export async function open(kind: Kind, options?: BlockContextOptions) {
  const checkpoint = await checkpointOf(kind)
  const stored = storedMatrix(checkpoint, specOf(kind))
  const context = new BlockContext(gpu, checkpoint, options)
  return { stored, context, reader: await stored.rows(context, stored.quantizationAfter(kind.wanted)) }
}

/** Tests one kind of stored matrix: what every kind must do. */
export function describeKind(kind: Kind): void {
  describe(`a matrix of the kind ${kind.title}`, () => {
    it('is known by its tensors, and by config.json where that tells of it', async () => {
      const { stored, context } = await open(kind)
      expect(stored.quantizationAfter(kind.wanted)).toEqual(kind.after)
      if (!kind.isGguf) {
        const announced = announcedMatrix(kind.config, specOf(kind))
        expect(announced.quantizationAfter(kind.wanted)).toEqual(kind.after)
        expect(announced.bits).toBe(stored.bits)
      }
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
        const elements = dequantizeRows(words, ...groups, kind.after)
        const { tolerance = () => 0 } = kind
        const wrong = elements.findIndex((value, i) => !(Math.abs(value - kind.elements![i]) <= tolerance(i)))
        expect(wrong, `${elements[wrong]} for ${kind.elements[wrong]}`).toBe(-1)
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
        const [allocated] = allocateSlices(gpu, NAME, weightFormat(kind.after), [
          rows,
          kind.columns ?? COLUMNS,
        ])
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
      const [slice] = allocateSlices(gpu, NAME, weightFormat(kind.after), specOf(kind).shape)
      const [block] = reader.blocks(slice)
      await block.read()
      controller.abort(new Error('stopped by the test'))
      await expect(block.read()).rejects.toThrow('stopped by the test')
      await expect(block.load(slice)).rejects.toThrow('stopped by the test')
      for (const part of MATRIX_PARTS) if (slice.buffers[part]) gpu.free(slice.buffers[part])
      context.dispose()
    })
  })
}
