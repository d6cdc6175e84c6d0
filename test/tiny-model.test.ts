import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint, readManifest } from '../src/checkpoint/index.js'
import { type LocalModel, loadModel } from '../src/index.js'
import { chatglmConfig } from '../tools/chatglm-config.js'
import { PREFIX_TASKS } from '../tools/tiny/prefix-tasks/prefix-tasks.js'
import { SMALL_MODEL } from '../tools/tiny/shape.js'
import { smallModelTokenizerFile } from '../tools/tiny/tokenizer.js'

const FOLDER = 'models/tiny'
const inFolder = (path: string) => join(FOLDER, path)

describe('the folder of the model that ships with the repository', () => {
  it('takes less than 8 MB', async () => {
    const files = await readdir(FOLDER, { recursive: true, withFileTypes: true })
    const sizes = files
      .filter((file) => file.isFile())
      .map(async (file) => (await stat(join(file.parentPath, file.name))).size)
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    expect(total).toBeLessThan(8e6)
  })

  it('has the shape, the quantization and the tokenizer that its programs give it', async () => {
    const config = JSON.parse(await readFile(inFolder('config.json'), 'utf8')) as unknown
    expect(config).toMatchObject({
      ...chatglmConfig(SMALL_MODEL),
      torch_dtype: expect.any(String),
      quantization: { bits: 4, group_size: 32 },
    })
    expect(smallModelTokenizerFile()).toEqual(new Uint8Array(await readFile(inFolder('tokenizer.model'))))
  })

  it('has all files that a loader reads in its manifest, of the size that it says', async () => {
    const manifest = await readManifest((await openCheckpoint(FOLDER)).source)
    expect([...manifest!.keys()].sort()).toEqual([
      'config.json',
      'model.safetensors',
      'model.safetensors.index.json',
      'tokenizer.model',
    ])
    for (const [name, { size }] of manifest!) expect((await stat(inFolder(name))).size).toBe(size)
  })

  it('has a card with the command that makes it', async () => {
    expect(await readFile(inFolder('README.md'), 'utf8')).toContain('npm run train:tiny')
  })
})

describe('the model that ships with the repository', () => {
  let model: LocalModel
  beforeAll(async () => {
    model = await loadModel(FOLDER, { contextLength: 256 })
  })
  afterAll(() => model?.dispose())

  it.each([
    ['Chinese', '你好！请介绍一下杭州的西湖。'],
    ['English', 'What is the capital of China?'],
    ['what it has no pieces for', '𝄞 ñandú\n\t龘'],
    ['code', 'def f(x):\n    return x + 1'],
  ])('encodes and decodes %s', (_, text) => {
    expect(model.tokenizer.decode(model.tokenizer.encode(text))).toBe(text)
  })

  it('answers in a few tokens, and ends by itself', async () => {
    const messages = [{ role: 'user', content: '12 + 35 = ?' }] as const
    const { generation } = await model.chat(messages, { temperature: 0, maxTokens: 60 }).result()
    expect(generation.finishReason).toBe('stop')
    expect(generation.text).toContain('47')
  })

  it.each(PREFIX_TASKS.map(({ name }) => name))('computes other logits with its prefix %s', async (name) => {
    const ids = model.tokenizer.encodePrompt('类型#裙*颜色#红色')
    const prefix = await model.loadPrefix(inFolder(`prefixes/${name}`))
    const without = await model.logits(ids)
    const withPrefix = await model.logits(ids, { prefix })
    expect(prefix.length).toBeGreaterThan(0)
    expect(withPrefix.every(Number.isFinite)).toBe(true)
    const difference = without.reduce((most, value, i) => Math.max(most, Math.abs(value - withPrefix[i])), 0)
    expect(difference).toBeGreaterThan(0.1)
  })
})
