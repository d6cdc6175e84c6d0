import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Checkpoint, openCheckpoint } from '../src/checkpoint/index.js'
import { Gpu } from '../src/gpu/index.js'
import { computeLogits, type LogitsOptions } from '../src/runtime/engine/logits.js'
import { resolveSampling } from '../src/runtime/engine/sampling-options.js'
import { WebGpuEngine } from '../src/runtime/engine/webgpu/engine.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import { loadPrefix, type Prefix } from '../src/runtime/model/prefix.js'
import { describeGolden, goldenFloats, goldenIds, openGolden } from './goldens.js'

/** Tolerance of every logit, relative to the largest. */
const TOLERANCE = 2e-3

function expectCloseLogits(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0)
  expect(worst).toBeLessThanOrEqual(TOLERANCE * largest)
}

/** Log-probability of one id. */
function logSoftmax(row: Float32Array, id: number): number {
  const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  return row[id] - largest - Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0))
}

const PREFIXES = {
  base: undefined,
  prefix: 'prefix_pytorch_model.bin',
  prefix_projection: 'prefix_projection_encoder.safetensors',
} as const

for (const model of ['mqa-d32', 'mqa-d128']) {
  describeGolden(`the reference implementation's ${model}, dense weights`, (folder) => {
    let gpu: Gpu
    let engine: WebGpuEngine
    let golden: Checkpoint
    const prefixes: Record<string, Prefix | undefined> = {}

    beforeAll(async () => {
      golden = await openGolden(model, 'golden.safetensors')
      const checkpoint = await openCheckpoint(join(folder, model, 'model.safetensors'))
      const config = parseModelConfig(checkpoint.config)
      gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
      const weights = await loadWeights(gpu, checkpoint, config, { positions: 64 })
      engine = await WebGpuEngine.create(gpu, config, weights, {
        contextLength: 64,
        maxSequences: 1,
        activations: 'float',
      })
      for (const [tag, file] of Object.entries(PREFIXES)) {
        const source = file && (await openCheckpoint(join(folder, model, file)))
        prefixes[tag] = source && (await loadPrefix(gpu, source, config, 64))
      }
    })
    afterAll(() => gpu?.dispose())

    describe.each(Object.keys(PREFIXES))('%s', (tag) => {
      const options = (): LogitsOptions => ({ prefix: prefixes[tag] })

      it('has the logits of every prompt position', async () => {
        const ids = await goldenIds(golden, 'input_ids')
        const expected = await goldenFloats(golden, `${tag}.logits`)
        expectCloseLogits(await computeLogits(engine, ids, options()), expected)
      })

      it('decodes greedily to the same ids with the cache, with the log-probabilities of its logits', async () => {
        const ids = await goldenIds(golden, 'input_ids')
        const expected = await goldenIds(golden, `${tag}.greedy_ids`)
        const rows = await goldenFloats(golden, `${tag}.decode_logits`)
        const { vocabulary } = engine.config
        const sampling = resolveSampling({ temperature: 0 }, vocabulary)
        const prefix = prefixes[tag]
        const start = { ids, prefix, prefixStrength: 1, sampling, stopIds: [], positionLimit: 64 }
        const slot = engine.open(start)!
        const actual: (number | undefined)[] = []
        while (actual.length < expected.length) {
          const isPrompt = slot.pendingTokens > 0
          const chunk = { slot, count: Math.min(slot.pendingTokens, engine.chunkTokens) }
          const next = isPrompt ? { rows: [], chunks: [chunk] } : { rows: [slot], chunks: [] }
          expect(isPrompt || engine.reserve(slot)).toBe(true)
          await engine.prepare(next)
          const output = engine.run(next)
          const step = isPrompt ? (await output.chunks)[0].sampled : (await output.rows)[0]
          if (!step) continue
          // Step t of the golden was fed id t, so that its logits are those of id t + 1.
          if (actual.length > 0 && step.id !== undefined) {
            const row = rows.subarray((actual.length - 1) * vocabulary, actual.length * vocabulary)
            const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
            const difference = step.logProbability - logSoftmax(row, step.id)
            expect(Math.abs(difference)).toBeLessThanOrEqual(TOLERANCE * largest)
          }
          actual.push(step.id)
        }
        engine.close(slot)
        expect(actual).toEqual(expected)
      })

      it('has the logits of the continuation in one pass as the reference has them step by step', async () => {
        const ids = await goldenIds(golden, 'input_ids')
        const continuation = await goldenIds(golden, `${tag}.greedy_ids`)
        const expected = await goldenFloats(golden, `${tag}.decode_logits`)
        const all = await computeLogits(engine, [...ids, ...continuation.slice(0, -1)], options())
        expectCloseLogits(all.slice(ids.length * engine.config.vocabulary), expected)
      })
    })
  })
}
