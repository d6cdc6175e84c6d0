import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ByteSource,
  MemoryFiles,
  openCheckpoint,
  readFile,
  readManifest,
  verifyManifest,
} from '../src/checkpoint/index.js'
import { exportOnnx, loadModel } from '../src/index.js'
import { rotate } from '../src/runtime/engine/onnx/prefix.js'
import type { LocalModel } from '../src/runtime/generate/local-model.js'
import { referenceOfOnnx } from './onnx-folder.js'
import { randomModel, randomPrefix } from './random-model.js'
import type { ReferenceModel, ReferencePrefix } from './reference-model.js'

/** ONNX Runtime rotates heads of which half is a multiple of 16; shape and sizes are as odd as that allows. */
const CONFIG = { kv_channels: 32, ffn_hidden_size: 104, rope_ratio: 2 }
const WIDTH = 2 * 2 * 2 * 32
const IDS = [262, 3, 50, 281, 9, 9, 120]
/** Of every logit, relative to the largest. */
const TOLERANCE = 5e-3

function expectCloseLogits(actual: Float32Array, expected: Float64Array): void {
  expect(actual.length).toBe(expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0)
  expect(worst / largest).toBeLessThan(TOLERANCE)
}

async function rowsOf(prefix: MemoryFiles): Promise<ReferencePrefix> {
  const checkpoint = await openCheckpoint(prefix)
  const bytes = await checkpoint.read('transformer.prefix_encoder.embedding.weight')
  const rows = new Float32Array(bytes.slice().buffer)
  return { rows, length: rows.length / WIDTH }
}

const RUNTIMES = {
  wasm: {
    name: 'ONNX Runtime, WebAssembly (slow)',
    options: { onnxRuntime: () => import('onnxruntime-web') },
  },
  // What Node finds by itself: the runtime for Node where it is installed.
  cpu: {
    name: isInstalled('onnxruntime-node') ? 'ONNX Runtime, CPU' : 'ONNX Runtime, WebAssembly (slow)',
    options: {},
  },
} as const

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

describe.each([
  { bits: 4, activations: 'float32', on: 'wasm' },
  { bits: 4, activations: 'float32', on: 'cpu' },
  { bits: 4, activations: 'float16', on: 'wasm' },
  { bits: 8, activations: 'float32', on: 'wasm' },
  { bits: 8, activations: 'float16', on: 'cpu' },
  { bits: 16, activations: 'float16', on: 'wasm' },
  { bits: 16, activations: 'float32', on: 'cpu' },
] as const)(
  'an ONNX model of $bits bits that computes in $activations on $on',
  ({ bits, activations, on }) => {
    const folder = new MemoryFiles([], 'exported')
    let model: LocalModel
    let reference: ReferenceModel
    let relativeError: number
    beforeAll(async () => {
      const source = await randomModel({ config: CONFIG })
      const exported = await exportOnnx(source, folder, { bits, activations })
      relativeError = exported.relativeError
      reference = await referenceOfOnnx(folder, bits === 16 ? undefined : { bits, blockSize: 32 })
      model = await loadModel(folder, { contextLength: 64, chunkTokens: 4, ...RUNTIMES[on].options })
    })
    afterAll(() => model?.dispose())

    it('has files that its manifest describes, and says how far its weights are off', async () => {
      await verifyManifest(folder, (await readManifest(folder))!)
      expect(relativeError).toBeLessThan({ 4: 0.1, 8: 0.006, 16: 1e-12 }[bits])
      expect(relativeError > 0).toBe(bits !== 16)
      expect(model.adapter.description).toBe(RUNTIMES[on].name)
    })

    it('has the logits of its weights, in chunks, with and without a prefix of any strength', async () => {
      expectCloseLogits(await model.logits(IDS), reference.logits(IDS))
      const files = await randomPrefix(5, WIDTH)
      const prefix = await model.loadPrefix(files)
      const rows = await rowsOf(files)
      for (const prefixStrength of [1, 0.3]) {
        const expected = reference.logits(IDS, rows, prefixStrength)
        expectCloseLogits(await model.logits(IDS, { prefix, prefixStrength }), expected)
      }
      await model.unloadPrefix(prefix)
      await expect(model.logits(IDS, { prefix })).rejects.toMatchObject({ code: 'input.prefix-unloaded' })
    })

    it('decodes as it computes a prompt, and finds a conversation in its cache', async () => {
      const first = await model.generate(IDS, { temperature: 0, maxTokens: 6, stopIds: [] }).result()
      const { vocabulary } = model.config
      const whole = await model.logits([...IDS, ...first.ids])
      first.ids.forEach((id, i) => {
        const row = whole.subarray((IDS.length - 1 + i) * vocabulary, (IDS.length + i) * vocabulary)
        const best = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
        expect(row[id]).toBeGreaterThan(best - 0.01 * Math.abs(best))
      })
      await model.generate(IDS, { temperature: 0, maxTokens: 6, stopIds: [] }).result()
      const options = { temperature: 0, maxTokens: 3, stopIds: [] }
      const longer = await model.generate([...IDS, ...first.ids.slice(0, 3), 77, 5], options).result()
      expect(longer.cachedTokens).toBe(IDS.length + 3)
      const branched = await model.generate([...IDS.slice(0, 4), 33, 34], options).result()
      expect(branched.cachedTokens).toBe(4)
      const fresh = await model.generate([7], options).result()
      expect(fresh.cachedTokens).toBe(0)
      const again = await model.generate([...IDS.slice(0, 4), 33, 34], options).result()
      expect(again.ids).toEqual(branched.ids)
    })
  },
)

describe('an ONNX model', () => {
  const folder = new MemoryFiles([], 'exported')
  let model: LocalModel
  beforeAll(async () => {
    await exportOnnx(await randomModel({ config: CONFIG }), folder, { activations: 'float32' })
    model = await loadModel(folder, { contextLength: 64 })
  })
  afterAll(() => model?.dispose())

  it('draws by the same rules as the GPU: seeds, penalties, bans, biases, stop ids', async () => {
    const drawn = (options: object) =>
      model.generate(IDS, { maxTokens: 8, stopIds: [], seed: 3, ...options }).result()
    const [once, again] = [await drawn({ temperature: 2 }), await drawn({ temperature: 2 })]
    expect(again.ids).toEqual(once.ids)
    const banned = await drawn({ temperature: 0, bannedIds: [[(await drawn({ temperature: 0 })).ids[0]]] })
    expect(banned.ids[0]).not.toBe((await drawn({ temperature: 0 })).ids[0])
    expect((await drawn({ logitBias: { 42: 1e3 } })).ids).toEqual(new Array(8).fill(42))
    const stopped = await drawn({ logitBias: { 42: 1e3 }, stopIds: [42] })
    expect(stopped).toMatchObject({ ids: [], finishReason: 'stop', stopId: 42 })
    const { topLogprobs, logprobs } = await drawn({ temperature: 0, topLogprobs: 3 })
    expect(topLogprobs![0][0].logprob).toBe(logprobs[0])
  })

  it('answers several prompts, calls made at the same time, and none that is aborted', async () => {
    const options = { temperature: 0, maxTokens: 4, stopIds: [] }
    const prompts = [IDS, [5, 6], [7, 8, 9]]
    const alone = []
    for (const prompt of prompts) alone.push((await model.generate(prompt, options).result()).ids)
    const batch = await model.generateBatch(prompts, options).result()
    expect(batch.map(({ ids }) => ids)).toEqual(alone)
    const abort = new AbortController()
    const aborted = (async () => {
      for await (const _ of model.generate(IDS, { ...options, maxTokens: 40, signal: abort.signal }))
        abort.abort(new Error('enough'))
    })()
    await expect(aborted).rejects.toThrow('enough')
    expect((await model.generate([5, 6], options).result()).ids).toEqual(alone[1])
  })

  it('scores texts', async () => {
    const { tokens, next } = await model.scores(IDS, { top: 2 })
    const logits = await model.logits(IDS)
    const row = logits.subarray(0, model.config.vocabulary)
    const largest = Math.max(...row)
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0)
    expect(tokens[1].logprob).toBeCloseTo(row[IDS[1]] - largest - Math.log(sum), 4)
    expect(next).toHaveLength(2)
  })

  it('refuses what it cannot do, by name', async () => {
    await expect(loadModel(folder, { quantization: { bits: 4 } })).rejects.toMatchObject({
      code: 'option.invalid',
    })
    expect(() => model.base).toThrow('an ONNX model')
    const missing = new MemoryFiles(
      await Promise.all(
        (await folder.list())
          .filter((name) => name !== 'model.onnx_data')
          .map(async (name) => [name, await readFile(folder, name, 2 ** 30)] as const),
      ),
    )
    await expect(loadModel(missing)).rejects.toMatchObject({ code: 'checkpoint.shard-missing' })
    await expect(exportOnnx(await randomModel(), new MemoryFiles([], 'x'))).rejects.toMatchObject({
      code: 'checkpoint.model-unsupported',
    })
  })
})

describe('a model that WebAssembly cannot hold', () => {
  it('is refused before its tensors are read', async () => {
    const folder = new MemoryFiles([], 'exported')
    await exportOnnx(await randomModel({ config: CONFIG }), folder)
    const reads: string[] = []
    const large: ByteSource = {
      name: 'large',
      list: () => folder.list(),
      has: (path) => folder.has(path),
      size: async (path) => (path === 'model.onnx_data' ? 3.9e9 : folder.size(path)),
      read: (path, start, end) => {
        reads.push(path)
        return folder.read(path, start, end)
      },
    }
    await expect(loadModel(large, RUNTIMES.wasm.options)).rejects.toMatchObject({
      code: 'adapter.limit',
      message: expect.stringContaining('3.9 GB of weights, and WebAssembly can address 4 GB'),
    })
    expect(reads).not.toContain('model.onnx_data')
  })
})

describe('the turn of a prefix', () => {
  it('makes scores of a graph that counts its rows those of tokens that begin at position 0', () => {
    const angle = (position: number) => {
      const angles = [0.9, 0.07].map((theta) => position * theta)
      return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) }
    }
    const turned = (vector: readonly number[], position: number) => {
      const copy = Float32Array.from(vector)
      rotate(copy, vector.length, angle(position), true)
      return copy
    }
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)
    const [query, key] = [
      [0.3, -1, 2, 0.5, 1, 1],
      [-0.2, 0.8, 1, 3, -1, 2],
    ]
    for (const [prefixLength, position] of [
      [5, 0],
      [128, 77],
    ]) {
      const official = dot(turned(query, position), Float32Array.from(key))
      expect(dot(turned(query, prefixLength + position), turned(key, prefixLength))).toBeCloseTo(official, 3)
    }
  })
})
