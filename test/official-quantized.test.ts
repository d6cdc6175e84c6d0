import { describe, expect, it } from 'vitest'
import {
  type DType,
  MemoryFiles as Files,
  type MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  toFloat32,
  writeSafetensors,
} from '../src/checkpoint/index.js'
import { convertCheckpoint, loadModel } from '../src/index.js'
import { halfToFloat, packHalves } from '../src/kernels/common/half.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { floatBytes, randomModel } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

const IDS = [262, 3, 50, 281, 9, 9, 120, 44]

/** A matrix as `quantize(bits)` of the official code stores it: a scale for each row, two nibbles to a byte. */
function quantizeRows(values: Float32Array, rows: number, bits: 4 | 8) {
  const columns = values.length / rows
  const most = 2 ** (bits - 1) - 1
  const scales = packHalves(
    Array.from({ length: rows }, (_, row) => {
      const part = values.subarray(row * columns, (row + 1) * columns)
      return part.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / most
    }),
  )
  const halves = new Uint16Array(scales.buffer, 0, rows)
  const q = Int8Array.from(values, (value, i) => {
    const rounded = Math.round(value / halfToFloat(halves[Math.floor(i / columns)]))
    return Math.max(-most, Math.min(most, rounded))
  })
  const exact = Float32Array.from(q, (step, i) => step * halfToFloat(halves[Math.floor(i / columns)]))
  const packed =
    bits === 8 ? q : Int8Array.from({ length: q.length / 2 }, (_, i) => (q[2 * i] << 4) | (q[2 * i + 1] & 15))
  return { packed: new Uint8Array(packed.buffer), scales: new Uint8Array(halves.slice().buffer), exact }
}

/** An official pre-quantized checkpoint, and a float one that holds exactly the same numbers. */
async function officialModel(bits: 4 | 8): Promise<{ official: MemoryFiles; exact: MemoryFiles }> {
  const source = await randomModel()
  const checkpoint = await openCheckpoint(source)
  const official: TensorWithBytes[] = []
  const exact: TensorWithBytes[] = []
  for (const { name, shape, dtype } of checkpoint.tensors.values()) {
    const bytes = await checkpoint.read(name)
    if (shape.length < 2 || !name.includes('.layers.')) {
      official.push({ name, shape, dtype: dtype as DType, bytes })
      exact.push({ name, shape, dtype: dtype as DType, bytes })
      continue
    }
    const quantized = quantizeRows(toFloat32(bytes, 'F16'), shape[0], bits)
    const packedShape = [shape[0], (shape[1] * bits) / 8]
    official.push({ name, shape: packedShape, dtype: 'I8', bytes: quantized.packed })
    official.push({ name: `${name}_scale`, shape: [shape[0]], dtype: 'F16', bytes: quantized.scales })
    exact.push({ name, shape, dtype: 'F32', bytes: floatBytes(quantized.exact, 'F32') })
  }
  const build = async (tensors: TensorWithBytes[], config: object) => {
    const text = JSON.stringify({ ...(checkpoint.config as object), ...config })
    const tokenizer = await source.read('tokenizer.model', 0, await source.size('tokenizer.model'))
    const files = new Files([
      ['config.json', new TextEncoder().encode(text)],
      ['tokenizer.model', tokenizer],
    ])
    await writeSafetensors(files, 'model.safetensors', tensors)
    return files
  }
  return { official: await build(official, { quantization_bit: bits }), exact: await build(exact, {}) }
}

describe('a checkpoint that the official code quantized', () => {
  for (const bits of [4, 8] as const) {
    it(`of ${bits} bits has the logits of its dequantized weights, loaded or converted`, async () => {
      const { official, exact } = await officialModel(bits)
      const expected = (await ReferenceModel.open(await openCheckpoint(exact))).logits(IDS)
      const model = await loadModel(official, { activations: 'float' })
      expectClose(await model.logits(IDS), expected, 2e-3)
      model.dispose()

      const converted = new Files()
      await convertCheckpoint(official, converted, { quantization: { bits, groupSize: 32 } })
      const checkpoint = await openCheckpoint(converted)
      expect((checkpoint.config as Record<string, unknown>).quantization_bit).toBeUndefined()
      // Layers are repacked without loss; embedding and output layer are quantized anew.
      const reference = (await ReferenceModel.open(checkpoint)).logits(IDS)
      const again = await loadModel(converted, { activations: 'float' })
      expectClose(await again.logits(IDS), reference, 2e-3)
      again.dispose()
    })
  }
})
