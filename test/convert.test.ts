import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type DType,
  MemoryFiles,
  openCheckpoint,
  openSource,
  readFile,
  readManifest,
  type TensorWithBytes,
  verifyManifest,
  writeSafetensors,
} from '../src/checkpoint/index.js'
import { convertCheckpoint, loadModel } from '../src/index.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { randomModel, randomPrefix } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

const IDS = [262, 3, 50, 281, 9, 9, 120]

async function verify(folder: string): Promise<void> {
  const source = await openSource(folder)
  await verifyManifest(source, (await readManifest(source))!)
}

describe('conversion', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-convert-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('writes a checkpoint whose logits are those of its dequantized weights, and a manifest that holds', async () => {
    const source = await randomModel()
    const progress: number[] = []
    const result = await convertCheckpoint(source, folder, {
      quantization: { bits: 4, groupSize: 32 },
      onProgress: ({ doneBytes, totalBytes }) => progress.push(doneBytes / totalBytes),
    })
    expect(progress.at(-1)).toBe(1)
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect(result.files.get('model.safetensors')!.size).toBeLessThan(result.sourceBytes * 0.4)
    await verify(folder)

    const converted = await openCheckpoint(folder)
    const reference = await ReferenceModel.open(converted)
    const original = await ReferenceModel.open(await openCheckpoint(source))
    const model = await loadModel(folder, { activations: 'float' })
    const logits = await model.logits(IDS)
    model.dispose()
    expectClose(logits, reference.logits(IDS), 2e-3)
    // Four bits change the logits of random weights, but leave them recognisable.
    const exact = original.logits(IDS)
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from({ length: a.length }, (_, i) => a[i] * b[i]).reduce((sum, product) => sum + product, 0)
    expect(dot(logits, exact) / Math.sqrt(dot(logits, logits) * dot(exact, exact))).toBeGreaterThan(0.95)
  })

  it('gives the same weights as quantizing while loading', async () => {
    const source = await randomModel({ matrices: 'BF16' })
    const quantization = { bits: 8, groupSize: 32 } as const
    await convertCheckpoint(source, folder, { quantization })
    const converted = await loadModel(folder, { activations: 'float' })
    const direct = await loadModel(source, { quantization, activations: 'float' })
    expect(await direct.logits(IDS)).toEqual(await converted.logits(IDS))
    converted.dispose()
    direct.dispose()
  })

  it('continues after an interruption without writing a complete shard again', async () => {
    const source = await randomModel({ config: { num_layers: 3 } })
    const whole = new MemoryFiles()
    await convertCheckpoint(source, whole)

    const controller = new AbortController()
    const interrupted = convertCheckpoint(source, folder, {
      signal: controller.signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        if (doneBytes > totalBytes / 2) controller.abort(new Error('stopped by the test'))
      },
    })
    await expect(interrupted).rejects.toThrow('stopped by the test')
    expect((await readdir(folder)).filter((name) => name.endsWith('.safetensors'))).toEqual([])
    await expect(loadModel(folder)).rejects.toThrow('unfinished')
    await expect(convertCheckpoint(source, folder, { quantization: { bits: 8 } })).rejects.toMatchObject({
      code: 'sink.resume-mismatch',
    })

    await convertCheckpoint(source, folder)
    await verify(folder)
    const written = await openSource(folder)
    for (const file of await whole.list()) {
      const size = await whole.size(file)
      expect(await written.size(file)).toBe(size)
      expect(Buffer.from(await written.read(file, 0, size)).equals(await whole.read(file, 0, size))).toBe(
        true,
      )
    }
  })

  it('leaves matrices dense whose columns do not divide into groups, and says so in config.json', async () => {
    const source = await randomModel({ config: { ffn_hidden_size: 72 } })
    await convertCheckpoint(source, folder)
    const checkpoint = await openCheckpoint(folder)
    const { quantization } = checkpoint.config as { quantization: Record<string, unknown> }
    expect(quantization['transformer.encoder.layers.0.mlp.dense_4h_to_h']).toBe(false)
    const model = await loadModel(folder, { activations: 'float' })
    const expected = (await ReferenceModel.open(checkpoint)).logits(IDS)
    expectClose(await model.logits(IDS), expected, 2e-3)
    model.dispose()
  })

  it('quantizes the rest of a checkpoint that is quantized in part, and describes each matrix as it is', async () => {
    const quantized = await openCheckpoint(await randomModel({ matrices: { type: 'q8', groupSize: 32 } }))
    const floats = await openCheckpoint(await randomModel())
    const output = 'transformer.output_layer'
    const tensors: TensorWithBytes[] = []
    for (const checkpoint of [quantized, floats]) {
      for (const { name, dtype, shape } of checkpoint.tensors.values()) {
        if (name.startsWith(output) !== (checkpoint === floats)) continue
        tensors.push({ name, dtype: dtype as DType, shape, bytes: await checkpoint.read(name) })
      }
    }
    const quantization = { bits: 8, group_size: 32, [output]: false }
    const config = { ...(quantized.config as object), quantization }
    const tokenizer = await readFile(quantized.source, 'tokenizer.model', 2 ** 20)
    const source = new MemoryFiles([
      ['config.json', new TextEncoder().encode(JSON.stringify(config))],
      ['tokenizer.model', tokenizer],
    ])
    await writeSafetensors(source, 'model.safetensors', tensors)

    await convertCheckpoint(source, folder, { quantization: { bits: 8, groupSize: 64 } })
    const converted = await openCheckpoint(folder)
    const described = (converted.config as { quantization: Record<string, unknown> }).quantization
    expect(described[output]).toBeUndefined()
    expect(described['transformer.encoder.layers.0.self_attention.dense']).toEqual({
      bits: 8,
      group_size: 32,
    })
    const model = await loadModel(folder, { activations: 'float' })
    expectClose(await model.logits(IDS), (await ReferenceModel.open(converted)).logits(IDS), 2e-3)
    model.dispose()
  })

  it('refuses to quantize again to other bits', async () => {
    const source = await randomModel({ matrices: { type: 'q8', groupSize: 32 } })
    const again = convertCheckpoint(source, folder, { quantization: { bits: 4 } })
    await expect(again).rejects.toMatchObject({ code: 'checkpoint.not-quantizable' })
    await expect(convertCheckpoint(source, folder, { quantization: { bits: 4 } })).rejects.toThrow(
      '8 bits already',
    )
    expect(await readdir(folder)).toEqual([])
  })

  it('refuses bits and groups there are no kernels for', async () => {
    const source = await randomPrefix(1, 8)
    const wrong = { bits: 3 } as unknown as { bits: 4 }
    await expect(convertCheckpoint(source, folder, { quantization: wrong })).rejects.toThrow(
      'quantization.bits',
    )
  })
})
