/**
 * Whether llama.cpp runs the GGUF files that are exported, on its CPU. The package with it is large and not a dependency:
 *
 *   npm install --no-save node-llama-cpp && npx vitest run test/llama-cpp.test.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportGguf, loadModel } from '../src/index.js'
import { openModelCheckpoint } from '../src/runtime/model/open-model.js'
import type { Tokenizer } from '../src/tokenizer/index.js'
import { randomModel } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

/** The part of node-llama-cpp that is used. */
interface LlamaCpp {
  getLlama(options: { gpu: false; build: 'never'; logLevel: string }): Promise<{
    loadModel(options: { modelPath: string; gpuLayers: 0 }): Promise<LlamaModel>
    dispose(): Promise<void>
  }>
}
interface LlamaModel {
  createContext(options: { contextSize: number }): Promise<{
    getSequence(): {
      controlledEvaluate(
        input: readonly [id: number, options: { generateNext: { logits: true } }][],
      ): Promise<readonly { next: { logits: Map<number, number> } }[]>
    }
  }>
  tokenize(text: string): number[]
  dispose(): Promise<void>
}

const PACKAGE = 'node-llama-cpp'
const llamaCpp = await (import(/* @vite-ignore */ PACKAGE) as Promise<LlamaCpp>).catch(() => undefined)
const IDS = [262, 3, 50, 281, 9, 9, 120]

/**
 * Of every logit, relative to the largest: llama.cpp rounds activations to 8 bits before products with quantized weights,
 * and to float16 before those with F16.
 */
const TOLERANCE = { 4: 0.03, 8: 0.03, 16: 5e-3 } as const

describe.skipIf(!llamaCpp)(
  `llama.cpp${llamaCpp ? '' : ' (skipped: node-llama-cpp is not installed)'}`,
  { timeout: 120_000 },
  () => {
    let folder: string
    let llama: Awaited<ReturnType<LlamaCpp['getLlama']>>
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'chatglm-llama-'))
      llama = await llamaCpp!.getLlama({ gpu: false, build: 'never', logLevel: 'error' })
    })
    afterAll(async () => {
      await llama?.dispose()
      await rm(folder, { recursive: true, force: true })
    })

    it.each([16, 8, 4] as const)(
      'gives the logits of the weights that a file of %s bits has',
      async (bits) => {
        const file = `random-${bits}.gguf`
        await exportGguf(await randomModel({ config: { rope_ratio: 50 } }), join(folder, String(bits)), {
          bits,
          file,
        })
        const path = join(folder, String(bits), file)
        const reference = await ReferenceModel.open(await openModelCheckpoint(path))
        const expected = reference.logits(IDS)
        const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 })
        const sequence = (await model.createContext({ contextSize: 64 })).getSequence()
        const outputs = await sequence.controlledEvaluate(
          IDS.map((id) => [id, { generateNext: { logits: true } }]),
        )
        const { vocabulary } = reference.config
        const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        for (const [row, { next }] of outputs.entries()) {
          const worst = Math.max(
            ...Array.from({ length: vocabulary }, (_, id) =>
              Math.abs(next.logits.get(id)! - expected[row * vocabulary + id]),
            ),
          )
          expect(worst / largest, `row ${row}`).toBeLessThan(TOLERANCE[bits])
        }
        await model.dispose()
      },
    )

    it('has the ids of the small model for a text, and its most likely answer', async () => {
      await exportGguf('models/tiny', folder, { bits: 8, file: 'tiny.gguf', restart: true })
      const path = join(folder, 'tiny.gguf')
      const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 })
      const own = await loadModel(path, { device: 'software', activations: 'float' })
      for (const text of ['你好，世界！', 'def f(x):\n  return x ** 2', '😀']) {
        expect(model.tokenize(text)).toEqual(own.tokenizer.encode(text))
      }
      const { special } = own.tokenizer as Tokenizer
      const prompt = [special.gMask, special.sop, special.user, ...own.tokenizer.encode('\n你好')]
      const answer = await own.generate(prompt, { temperature: 0, maxTokens: 6, stopIds: [] }).result()
      const sequence = (await model.createContext({ contextSize: 64 })).getSequence()
      const ids = [...prompt, ...answer.ids.slice(0, -1)]
      const outputs = await sequence.controlledEvaluate(
        ids.map((id) => [id, { generateNext: { logits: true } }]),
      )
      const likeliest = outputs
        .slice(prompt.length - 1)
        .map(({ next }) => [...next.logits].reduce((best, one) => (one[1] > best[1] ? one : best))[0])
      expect(likeliest).toEqual([...answer.ids])
      own.dispose()
      await model.dispose()
    })
  },
)
