import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type MemoryFiles, openCheckpoint } from '../src/checkpoint/index.js'
import { Gpu } from '../src/gpu/index.js'
import { isSoftwareAdapter, loadModel, type Progress } from '../src/index.js'
import { computeLogits } from '../src/runtime/engine/logits.js'
import { type Candidates, candidates } from '../src/runtime/engine/variants/candidates.js'
import { tuningFile } from '../src/runtime/engine/variants/node/tuning-file.js'
import { readTuning, tuningKey, writeTuning } from '../src/runtime/engine/variants/tuning-record.js'
import { type TuningStore, tuningCache } from '../src/runtime/engine/variants/tuning-store.js'
import { VERSION } from '../src/runtime/engine/version.js'
import { WebGpuEngine } from '../src/runtime/engine/webgpu/engine.js'
import type { EngineOptions } from '../src/runtime/engine/webgpu/engine-options.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import { randomModel } from './random-model.js'

const PROMPT = [5, 90, 17, 201, 33, 8, 64, 120, 7, 250, 19, 44]

/** A store in memory, with a count of what was done to it. */
class MemoryStore implements TuningStore {
  readonly location = 'memory'
  text: string | undefined
  writes = 0

  constructor(text?: string) {
    this.text = text
  }

  async read() {
    return this.text
  }

  async write(text: string) {
    this.text = text
    this.writes++
  }
}

type Compile = GPUDevice['createComputePipelineAsync']

/** An adapter whose devices compile as `change` makes them. */
async function adapterThatCompiles(change: (compile: Compile) => Compile): Promise<GPUAdapter> {
  const adapter = (await navigator.gpu.requestAdapter())!
  const request = adapter.requestDevice.bind(adapter)
  adapter.requestDevice = async (descriptor) => {
    const device = await request(descriptor)
    device.createComputePipelineAsync = change(device.createComputePipelineAsync.bind(device))
    return device
  }
  return adapter
}

/** A driver that refuses kernels of one name. */
const refusing =
  (label: string) =>
  (compile: Compile): Compile =>
  (descriptor) =>
    descriptor.label === label ? Promise.reject(new Error('internal compiler error')) : compile(descriptor)

/** Small enough to compile fast: several of its products have the same shape. */
const SMALL = { num_layers: 1, ffn_hidden_size: 64, add_qkv_bias: false }
const FORMAT = { type: 'q4', groupSize: 32 } as const

describe('variants of kernels', () => {
  let files: MemoryFiles
  let gpu: Gpu
  let create: (options: Partial<EngineOptions>) => Promise<WebGpuEngine>
  const store = new MemoryStore()
  const refused: string[] = []
  let measured: WebGpuEngine
  let all: Candidates

  beforeAll(async () => {
    files = await randomModel({ config: SMALL, matrices: FORMAT })
    const checkpoint = await openCheckpoint(files)
    const config = parseModelConfig(checkpoint.config)
    gpu = await Gpu.create(await adapterThatCompiles(refusing('attention-tiled')))
    const weights = await loadWeights(gpu, checkpoint, config, { positions: 64 })
    all = candidates({ gpu, config, shape: weights, activations: 'int8' })
    create = (options) =>
      WebGpuEngine.create(gpu, config, weights, {
        contextLength: 64,
        maxSequences: 1,
        activations: 'int8',
        ...options,
      })
    measured = await create({
      variants: { prefillProduct: 'float32' },
      measureSoftware: true,
      tuningStore: store,
      onRefused: (message) => refused.push(message),
    })
  })
  afterAll(() => gpu?.dispose())

  it('are measured, and the fastest is used', async () => {
    const { decode } = measured.variants
    expect(decode.reason).toMatch(/^fastest of 2: [\d.]+ ms a step; (float|fused-int8) [\d.]+$/)
    const times = Object.values(JSON.parse(store.text!).entries)[0] as Record<string, Record<string, number>>
    const fastest = Object.entries(times.decode).sort(([, a], [, b]) => a - b)[0][0]
    expect(decode.variant).toBe(fastest)
  })

  it('that were asked for are not measured', () => {
    expect(measured.variants.prefillProduct).toMatchObject({ variant: 'float32', reason: 'asked for' })
    expect(store.text).not.toContain('prefillProduct')
  })

  it('that the driver cannot compile are replaced, which is said once', () => {
    expect(measured.variants.prefillAttention.variant).toBe('simple')
    expect(measured.variants.prefillAttention.reason).toMatch(
      /^tiled did not compile; nothing else is left: /,
    )
    expect(refused).toEqual([
      'The GPU driver could not compile prefillAttention "tiled"; "simple" is used instead. Update the driver or the browser.',
    ])
  })

  it('measured before are chosen by these times, and nothing is measured or written again', async () => {
    const { writes } = store
    const entry = JSON.parse(store.text!)
    const [key] = Object.keys(entry.entries)
    entry.entries[key].decode = { 'fused-int8': 9, float: 3 }
    const before = new MemoryStore(JSON.stringify(entry))
    const messages: string[] = []
    const again = await create({
      variants: { prefillProduct: 'float32' },
      measureSoftware: true,
      tuningStore: before,
      onRefused: (message) => messages.push(message),
    })
    expect(again.variants.decode).toMatchObject({
      variant: 'float',
      reason: 'fastest of 2: 3 ms a step; fused-int8 9, at an earlier load',
    })
    expect(again.variants.prefillAttention.variant).toBe('simple')
    expect(messages).toEqual([])
    expect([before.writes, store.writes]).toEqual([0, writes])
  })

  it('are computed with: prompts and steps after a replacement are right', async () => {
    const variants = { prefillProduct: 'float32', prefillAttention: 'simple', decode: 'float' } as const
    const exact = await create({ variants, measureSoftware: true })
    expect(exact.variants.decodeAttention.reason).toBe('no step is fused')
    expect(await computeLogits(measured, PROMPT)).toEqual(await computeLogits(exact, PROMPT))
  })

  it('that are not possible here are refused with what they need', async () => {
    // The model's heads are narrower than its matrices, on every adapter; which of the others comes first depends on it.
    const attention = all.prefillAttention
    const { obstacle } = attention.find(({ variant }) => variant === 'subgroup-matrix')!
    const possible = attention
      .flatMap(({ variant, obstacle: other }) => (other === undefined ? [`"${variant}"`] : []))
      .join(' or ')
    const creating = create({ variants: { prefillAttention: 'subgroup-matrix' } })
    await expect(creating).rejects.toMatchObject({ code: 'option.invalid' })
    await expect(creating).rejects.toMatchObject({
      details: {
        option: 'variants.prefillAttention',
        value: 'subgroup-matrix',
        expected: `${possible} here: "subgroup-matrix" ${obstacle}`,
      },
    })
    expect(obstacle).toContain('heads of 128')
    const rounding = create({ activations: 'float', variants: { decode: 'fused-int8' } })
    await expect(rounding).rejects.toThrow('"fused-int8" needs activations: "int8"')
    expect(measured.variants.prefillAttention.impossible).toHaveProperty('subgroup-matrix')
  })

  it('that were asked for and do not compile are an error: nothing else was wanted', async () => {
    await expect(create({ variants: { prefillAttention: 'tiled' } })).rejects.toMatchObject({
      code: 'adapter.shader-refused',
    })
  })

  it('have names and values that are checked before anything is read', async () => {
    await expect(loadModel(files, { variants: { decode: 'fast' as 'float' } })).rejects.toMatchObject({
      code: 'option.invalid',
      details: { option: 'variants.decode', expected: 'one of "fused-int8", "float"' },
    })
    const unknown = { prefil: 'int8' } as { decode?: 'float' }
    await expect(loadModel(files, { variants: unknown })).rejects.toThrow('expected only "prefill"')
  })
})

describe('loading', () => {
  let cache: string
  // Times of these drivers must be known neither from an earlier run nor to later loads.
  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), 'chatglm-cache-'))
    vi.stubEnv('XDG_CACHE_HOME', cache)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await rm(cache, { recursive: true })
  })

  it('goes on after a kernel that does not compile, and says so in its progress', async () => {
    const files = await randomModel({ config: SMALL, matrices: FORMAT })
    const device = await adapterThatCompiles(refusing('linear-decode'))
    const events: Progress[] = []
    const model = await loadModel(files, { device, onProgress: (event) => events.push(event) })
    try {
      const { variant, reason } = model.variants.decode!
      // What is measured was compiled with the others; elsewhere the next one is compiled when it is needed.
      const isMeasured = !isSoftwareAdapter(model.adapter)
      expect(variant).toBe('float')
      expect(reason).toMatch(
        isMeasured
          ? /^fused-int8 did not compile; nothing else is left: [\d.]+ ms a step$/
          : /^fused-int8 did not compile; this is the next$/,
      )
      const warnings = events.flatMap(({ warning }) => warning ?? [])
      expect(warnings).toEqual([
        expect.stringContaining('could not compile decode "fused-int8"; "float" is used'),
      ])
      expect(model.variants.prefillProduct!.reason).toMatch(
        isMeasured ? /^fastest of \d: [\d.]+ ms/ : /nothing is measured on a software adapter$/,
      )
      const { ids } = await model.generate(PROMPT, { maxTokens: 2, stopIds: [] }).result()
      expect(ids).toHaveLength(2)
      // Kernels compile while bytes are read, but are reported only behind them; a GPU then measures.
      const last = ['kernels', 'tuning']
      const stages = events.map(({ stage }) => stage)
      expect(stages).toEqual([...stages].sort((a, b) => last.indexOf(a) - last.indexOf(b)))
      // The stage is left out where they are done before the last byte.
      for (const { kernels } of events.filter(({ stage }) => stage === 'kernels')) {
        expect(kernels?.total).toBeGreaterThan(5)
      }
    } finally {
      model.dispose()
    }
  })

  it('compiles while the weights are read, and is aborted at once while it compiles', async () => {
    const controller = new AbortController()
    let compiling = () => {}
    const begun = new Promise<void>((resolve) => {
      compiling = resolve
    })
    const device = await adapterThatCompiles(() => () => {
      compiling()
      return new Promise(() => {})
    })
    const files = await randomModel({ config: SMALL, matrices: FORMAT })
    const read = files.read.bind(files)
    let opened = false
    files.read = async (name, start, end, ...rest) => {
      // Weights are read behind the tokenizer: their bytes are held back until the first kernel compiles.
      if (opened && name.endsWith('.safetensors')) await begun
      opened ||= name === 'tokenizer.model'
      return read(name, start, end, ...rest)
    }
    const events: Progress[] = []
    const loading = loadModel(files, {
      device,
      signal: controller.signal,
      onProgress: (event) => {
        events.push(event)
        const { doneBytes, totalBytes } = event
        if (doneBytes === totalBytes) setTimeout(() => controller.abort(new Error('enough')), 20)
      },
    })
    await expect(loading).rejects.toThrow('enough')
    expect(events.at(-1)?.doneBytes).toBe(events.at(-1)?.totalBytes)
  })
})

describe('times of variants', () => {
  const times = { decode: { float: 3, 'fused-int8': 1.5 }, prefillAttention: { tiled: null, simple: 2 } }

  it('are kept for each key beside those of others', async () => {
    const store = new MemoryStore()
    await writeTuning(store, 'one', times)
    await writeTuning(store, 'two', {})
    expect(await readTuning(store, 'one')).toEqual(times)
    expect(await readTuning(store, 'two')).toEqual({})
    expect(await readTuning(store, 'constructor')).toEqual({})
  })

  it('of another version of this package are left alone', async () => {
    const store = new MemoryStore(JSON.stringify({ version: '0.0.1', entries: { one: times } }))
    expect(await readTuning(store, 'one')).toEqual({})
    await writeTuning(store, 'two', times)
    expect(Object.keys(JSON.parse(store.text!).entries)).toEqual(['two'])
  })

  it('of another driver, another set of features or another shape have another key', async () => {
    const files = await randomModel({ config: SMALL, matrices: FORMAT })
    const checkpoint = await openCheckpoint(files)
    const config = parseModelConfig(checkpoint.config)
    const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
    const weights = await loadWeights(gpu, checkpoint, config, { positions: 64 })
    const info = { vendor: 'v', architecture: 'a', device: 'd', description: 'driver 1' } as GPUAdapterInfo
    const key = (description: string, features: string[], rows: number) => {
      const device = { features: new Set(features) }
      return tuningKey({ info: { ...info, description }, device } as unknown as Gpu, config, weights, rows)
    }
    const keys = [
      key('driver 1', [], 512),
      key('driver 2', [], 512),
      key('driver 1', ['shader-f16'], 512),
      key('driver 1', [], 64),
    ]
    expect(new Set(keys).size).toBe(4)
    expect(key('driver 1', [], 512)).toBe(keys[0])
    gpu.dispose()
  })

  it.each([
    ['no text', undefined],
    ['half a file', '{"version": "0.1.0", "entr'],
    ['no object', '[1, 2]'],
    ['entries that are none', JSON.stringify({ version: VERSION, entries: { one: 7 } })],
    [
      'times that are none',
      JSON.stringify({ version: VERSION, entries: { one: { decode: { float: -1, magic: 1 }, magic: {} } } }),
    ],
  ])('are measured again where there is %s', async (_, text) => {
    const found = await readTuning(new MemoryStore(text), 'one')
    expect(Object.values(found).flatMap((entry) => Object.keys(entry))).toEqual([])
  })

  it('that cannot be read or written are no error', async () => {
    const broken: TuningStore = {
      location: 'nowhere',
      read: () => Promise.reject(new Error('denied')),
      write: () => Promise.reject(new Error('disk full')),
    }
    expect(await readTuning(broken, 'one')).toEqual({})
    await writeTuning(broken, 'one', times)
  })

  it('are in a file that is replaced as a whole', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chatglm-tuning-'))
    try {
      const path = join(folder, 'deeper', 'tuning.json')
      const store = tuningFile(path)
      await writeTuning(store, 'one', times)
      await Promise.all(['a', 'b', 'c'].map((key) => writeTuning(store, key, times)))
      expect(await readTuning(store, 'one')).toEqual(times)
      expect(await readdir(join(folder, 'deeper'))).toEqual(['tuning.json'])
      await writeFile(path, 'damaged')
      expect(await readTuning(store, 'one')).toEqual({})
      await expect(tuningFile(folder).write('x')).rejects.toThrow()
      expect(await readdir(folder)).toEqual(['deeper'])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('are in the cache storage of a browser', async () => {
    const answers = new Map<string, Response>()
    const cache = {
      match: async (request: string) => answers.get(request)?.clone(),
      put: async (request: string, response: Response) => void answers.set(request, response),
    }
    const storage = { open: async (name: string) => (name === 'chatglm-webgpu' ? cache : undefined) }
    const store = tuningCache(storage as unknown as CacheStorage)
    expect(await readTuning(store, 'one')).toEqual({})
    await writeTuning(store, 'one', times)
    expect(await readTuning(store, 'one')).toEqual(times)
  })

  it('are tied to the version of the package', async () => {
    expect(VERSION).toBe(JSON.parse(await readFile('package.json', 'utf8')).version)
  })
})
