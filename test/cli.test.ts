/** The `chatglm` command from its arguments to what it writes, with the small model on the GPU. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Library, loadLibrary as loadWholeLibrary } from '../src/cli/library.js'
import { run } from '../src/cli/program.js'
import { testIo } from '../src/cli/testing.js'
import { type LocalModel, loadModel } from '../src/index.js'
import { randomModel } from './random-model.js'

/** Models by what they were loaded with: compiling the kernels takes most of the time of a run. */
const models = new Map<string, Promise<LocalModel>>()

/** The library, except that a model loaded again is the one that is loaded already. */
const loadLibrary = async (): Promise<Library> => ({
  ...(await loadWholeLibrary()),
  async loadModel(source, { signal: _, onProgress: __, ...options }) {
    const key = JSON.stringify([source, options])
    if (!models.has(key)) models.set(key, loadModel(source, options))
    const model = await models.get(key)!
    return new Proxy(model, {
      get(target, name) {
        if (name === 'dispose') return () => {}
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  },
})

async function chatglm(...args: string[]) {
  const io = testIo()
  const code = await run(args, io, loadLibrary)
  return { code, out: io.stdout.text, err: io.stderr.text }
}

describe('the chatglm command', () => {
  let folder: string
  /** A smaller model than the bundled one, as a float checkpoint, and what `convert` makes of it. */
  let source: string
  let model: string
  let conversion: Awaited<ReturnType<typeof chatglm>>

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-cli-'))
    source = join(folder, 'float')
    model = join(folder, 'converted')
    await mkdir(source)
    const files = await randomModel()
    for (const name of await files.list()) {
      await writeFile(join(source, name), await files.read(name, 0, await files.size(name)))
    }
    conversion = await chatglm('convert', source, model, '--group-size', '32')
  })
  afterAll(async () => {
    for (const model of await Promise.allSettled(models.values())) {
      if (model.status === 'fulfilled') model.value.dispose()
    }
    await rm(folder, { recursive: true, force: true })
  })

  const ask = async (...args: string[]) => {
    const { code, out } = await chatglm('chat', '--json', '--max-tokens', '4', '--context', '64', ...args)
    expect(code).toBe(0)
    const { stats: _, cachedTokens: __, ...answer } = JSON.parse(out)
    return answer
  }

  it('converts a checkpoint, and refuses to overwrite it', async () => {
    expect([conversion.code, conversion.err]).toEqual([0, expect.stringContaining('Done in')])
    expect(await chatglm('convert', source, model)).toMatchObject({
      code: 1,
      err: expect.stringContaining('already holds a finished checkpoint'),
    })
  })

  it('answers a prompt the same way for the same seed', async () => {
    const answer = await ask('--seed', '5', model, '你好')
    expect(answer).toMatchObject({ seed: 5, finishReason: 'length', toolCalls: [] })
    expect(answer.ids).toHaveLength(4)
    expect(answer.logprobs).toHaveLength(4)
    expect(answer.segments).toEqual([{ type: 'text', text: answer.text }])
    expect(await ask('--seed', '5', model, '你好')).toEqual(answer)
  })

  it('knows the bundled model and its prefixes by their names', async () => {
    const byPath = await ask('--temperature', '0', '--prefix', 'models/tiny/prefixes/json', 'tiny', '类型#裙')
    const byName = await ask('--temperature', '0', '--prefix', 'json', 'tiny', '类型#裙')
    const without = await ask('--temperature', '0', 'tiny', '类型#裙')
    expect(byName).toMatchObject({ prefix: 'json', ids: byPath.ids })
    expect(byName.ids).not.toEqual(without.ids)
  })

  it('generates the same whether or not it was interrupted', async () => {
    const input = join(folder, 'in.jsonl')
    const [whole, resumed] = [join(folder, 'whole.jsonl'), join(folder, 'resumed.jsonl')]
    const records = [
      { content: '类型#裙', summary: '…' },
      { messages: [{ role: 'user', content: 'hello' }], id: 2 },
    ]
    await writeFile(input, records.map((record) => JSON.stringify(record)).join('\n'))
    const generate = (output: string) =>
      chatglm(
        ...['generate', model, '--input', input, '--output', output, '--resume'],
        ...['--batch', '2', '--seed', '5', '--max-tokens', '4', '--context', '64'],
      )
    expect((await generate(whole)).code).toBe(0)
    const text = await readFile(whole, 'utf8')
    const lines = text.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(records)

    // The second record is answered beside the first one here, and alone there.
    await writeFile(resumed, text.slice(0, lines[0].length + 10))
    expect((await generate(resumed)).code).toBe(0)
    expect(await readFile(resumed, 'utf8')).toBe(text)
  })

  it('answers a missing model with 1 and its path, and more context than the model has with 2', async () => {
    const missing = await chatglm('chat', join(folder, 'nothing'), 'hi')
    expect(missing).toMatchObject({ code: 1, out: '' })
    expect(missing.err).toContain(`Cannot open ${join(folder, 'nothing')}`)
    const { code, err } = await chatglm('chat', '--context', '99999', 'tiny', 'hi')
    expect([code, err]).toEqual([2, expect.stringContaining('1024')])
  })
})
