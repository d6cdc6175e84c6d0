import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GGMLQuantizationType, gguf } from '@huggingface/gguf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  MemoryFiles,
  openSource,
  readFile,
  readManifest,
  verifyManifest,
  writeFile,
} from '../src/checkpoint/index.js'
import { exportGguf } from '../src/index.js'
import { loadTokenizer } from '../src/runtime/model/load-tokenizer.js'
import { GGUF_NAMES } from '../src/runtime/model/names/gguf.js'
import { HF_NAMES } from '../src/runtime/model/names/hf.js'
import { namesIn } from '../src/runtime/model/names/tensor-names.js'
import { openModelCheckpoint } from '../src/runtime/model/open-model.js'
import { modelTensors, tensorList } from '../src/runtime/model/tensors.js'
import { randomModel } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

/** Of a matrix's elements, relative to their size. */
const ERRORS = { 4: 0.1, 8: 0.006, 16: 0 } as const
const TYPES = { 4: 'Q4_0', 8: 'Q8_0', 16: 'F16' } as const

describe('a GGUF file that was exported', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-gguf-export-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it.each([4, 8, 16] as const)(
    'has the weights of its source in %s bits, and its tokenizer',
    async (bits) => {
      const source = await randomModel({ matrices: 'BF16', config: { rope_ratio: 50 } })
      const progress: number[] = []
      const { relativeError, files } = await exportGguf(source, folder, {
        bits,
        file: 'small.gguf',
        onProgress: ({ doneBytes, totalBytes }) => progress.push(doneBytes / totalBytes),
      })
      expect(progress.at(-1)).toBe(1)
      expect([...files.keys()]).toEqual(['small.gguf'])
      expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'small.gguf'])
      const written = await openSource(folder)
      await verifyManifest(written, (await readManifest(written))!)

      const [before, after] = [await openModelCheckpoint(source), await openModelCheckpoint(folder)]
      const [expected, actual] = [await ReferenceModel.open(before), await ReferenceModel.open(after)]
      expect(actual.config).toEqual(expected.config)
      let [squaredError, squares] = [0, 0]
      for (const spec of tensorList(modelTensors(expected.config))) {
        const [was, is] = [expected.weight(spec), actual.weight(spec)]
        if (spec.shape.length === 1) expect(is, spec.name).toEqual(was)
        else {
          was.forEach((value, i) => {
            squaredError += (is[i] - value) ** 2
            squares += value ** 2
          })
        }
      }
      expect(relativeError).toBeLessThanOrEqual(ERRORS[bits])
      expect(relativeError).toBeCloseTo(Math.sqrt(squaredError / squares), 5)
      const [own, its] = [await loadTokenizer(before), await loadTokenizer(after)]
      expect(its.encode('eat on你好 世界\n')).toEqual(own.encode('eat on你好 世界\n'))
      expect(its.special).toEqual(own.special)
    },
  )

  it('is read by @huggingface/gguf as it was meant', async () => {
    await exportGguf(await randomModel({ config: { ffn_hidden_size: 72 } }), folder)
    const { metadata, tensorInfos } = await gguf(join(folder, 'model.gguf'), { allowLocalFile: true })
    expect(metadata).toMatchObject({
      version: 3,
      'general.architecture': 'chatglm',
      'general.file_type': 2,
      'chatglm.block_count': 2,
      'chatglm.attention.head_count_kv': 2,
      'chatglm.rope.dimension_count': 8,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.add_bos_token': false,
    })
    const tokens = (metadata as Record<string, unknown>)['tokenizer.ggml.tokens'] as string[]
    expect(tokens).toHaveLength(320)
    expect(tokens.slice(0, 4)).toEqual(['<unk>', '<bos>', '<eos>', '<0x00>'])
    const types = new Map(
      tensorInfos.map(({ name, dtype, shape }) => [
        name,
        [GGMLQuantizationType[dtype], ...shape.map(Number)],
      ]),
    )
    const { embedding, output, finalNorm, layer } = GGUF_NAMES
    expect(types.get(embedding)).toEqual(['Q4_0', 64, 320])
    expect(types.get(output)).toEqual(['Q4_0', 64, 320])
    expect(types.get(finalNorm)).toEqual(['F32', 64])
    expect(types.get(layer(0).qkvBias)).toEqual(['F32', 128])
    // Rows of 72 are no whole blocks.
    expect(types.get(layer(1).down)).toEqual(['F16', 72, 64])
    expect(types.size).toBe(namesIn(HF_NAMES, GGUF_NAMES, 2).size)
  })

  it.each([4, 8] as const)('of %s bits is exported again without a loss', async (bits) => {
    const source = await randomModel()
    const [first, second] = [new MemoryFiles([], 'first'), new MemoryFiles([], 'second')]
    await exportGguf(source, first, { bits })
    expect((await exportGguf(first, second, { bits })).relativeError).toBe(0)
    const bytes = (files: MemoryFiles) => readFile(files, 'model.gguf', 2 ** 30)
    expect(Buffer.from(await bytes(second)).equals(await bytes(first))).toBe(true)
  })

  it('is kept unless it is to be replaced, and other weights in the folder always', async () => {
    const source = await randomModel()
    const files = new MemoryFiles([], 'kept')
    await exportGguf(source, files)
    await expect(exportGguf(source, files, { bits: 8 })).rejects.toMatchObject({ code: 'sink.occupied' })
    await exportGguf(source, files, { bits: 8, restart: true })
    const checkpoint = await openModelCheckpoint(files)
    expect(checkpoint.tensors.get(HF_NAMES.output)!.dtype).toBe(TYPES[8])
    await writeFile(files, 'foreign.gguf', new Uint8Array(8))
    await expect(exportGguf(source, files, { restart: true })).rejects.toMatchObject({
      code: 'sink.occupied',
      message: expect.stringContaining('foreign.gguf'),
    })
  })

  it('leaves no file behind where it is interrupted, and is written when it is asked for again', async () => {
    const source = await randomModel()
    const controller = new AbortController()
    const interrupted = exportGguf(source, folder, {
      signal: controller.signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        if (doneBytes > totalBytes / 2) controller.abort(new Error('stopped by the test'))
      },
    })
    await expect(interrupted).rejects.toThrow('stopped by the test')
    expect(await readdir(folder)).toEqual(['checkpoint-progress.json'])
    await expect(exportGguf(source, folder, { bits: 8 })).rejects.toMatchObject({
      code: 'sink.resume-mismatch',
    })
    await exportGguf(source, folder)
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'model.gguf'])
  })

  it('needs the scores of a tokenizer.model', async () => {
    const source = await randomModel()
    await source.remove('tokenizer.model')
    await expect(exportGguf(source, new MemoryFiles([], 'x'))).rejects.toMatchObject({
      code: 'checkpoint.tokenizer-missing',
    })
  })
})
