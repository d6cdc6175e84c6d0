import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DeviceError, InputError } from '../errors/index.js'
import { run } from './program.js'
import { command, StubModel, stubLibrary, testIo } from './testing.js'

describe('generate', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-generate-'))
    await writeFile(
      join(folder, 'in'),
      ['a', 'b', 'c', 'd', 'e'].map((prompt) => JSON.stringify({ prompt })).join('\n'),
    )
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const generate = (model: StubModel, ...more: string[]) =>
    command(
      [
        'generate',
        'm',
        '--input',
        join(folder, 'in'),
        '--output',
        join(folder, 'out'),
        '--seed',
        '9',
        ...more,
      ],
      stubLibrary(model),
    )
  const output = async () =>
    (await readFile(join(folder, 'out'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

  it('answers in batches, each record with a seed of its own', async () => {
    const model = new StubModel()
    expect((await generate(model, '--raw', '--batch', '2')).code).toBe(0)
    expect(model.continued.map(({ prompts, options }) => [prompts, options.seed])).toEqual([
      [['a', 'b'], 9],
      [['c', 'd'], 11],
      [['e'], 13],
    ])
    expect((await output())[1]).toEqual({ prompt: 'b', generated: 'answer to "b"', finishReason: 'stop' })
  })

  it('asks for answers that keep to a schema, a grammar or choices', async () => {
    const schema = join(folder, 'schema.json')
    const grammar = join(folder, 'grammar.txt')
    await writeFile(schema, '{"type": "object", "properties": {"a": {"const": 1}}}')
    await writeFile(grammar, 'root ::= "a"')
    const model = new StubModel()
    const anew = async (...flags: string[]) => {
      await rm(join(folder, 'out'), { force: true })
      return generate(model, '--batch', '5', ...flags)
    }
    await anew('--schema', schema)
    await anew('--grammar', grammar)
    await anew('--choices', 'yes', '--choices', 'no')
    expect(model.continued.map(({ options }) => options.constraint)).toEqual([
      { jsonSchema: { type: 'object', properties: { a: { const: 1 } } } },
      { grammar: 'root ::= "a"' },
      { choices: ['yes', 'no'] },
    ])
    expect((await anew('--schema', schema, '--grammar', grammar)).err).toContain('give one')
    expect((await anew('--schema', grammar)).err).toContain('expected a JSON Schema')
  })

  it('asks in chat format unless told otherwise', async () => {
    const model = new StubModel()
    await generate(model)
    expect(model.continued[0].prompts).toEqual([[{ role: 'user', content: 'a' }]])
  })

  it.each([['1'], ['2'], ['5']])(
    'goes on past a record that fails, in batches of %s, and asks it again with --resume',
    async (batch) => {
      const model = new StubModel()
      model.answerTo = (prompt) => {
        if (prompt !== 'c') return String(prompt)
        const details = { promptTokens: 9, available: 8 }
        throw new InputError('input.context-overflow', 'Too long.', { details })
      }
      const failed = await generate(model, '--raw', '--batch', batch)
      expect(failed.code).toBe(1)
      expect(failed.err).toContain('1 of 5 records have no answer')
      expect(failed.err).toContain(`${join(folder, 'in')}, line 3: Too long.`)
      expect(failed.err).toContain('--resume asks them again')
      expect((await output()).map(({ generated }) => generated)).toEqual(['a', 'b', null, 'd', 'e'])
      expect((await output())[2]).toEqual({
        prompt: 'c',
        generated: null,
        finishReason: 'error',
        error: 'Too long.',
      })
      expect((await generate(model, '--raw', '--resume')).code).toBe(1)

      model.answerTo = String
      const resumed = await generate(model, '--raw', '--resume')
      expect([resumed.code, model.continued.at(-1)]).toMatchObject([
        0,
        { prompts: ['c'], options: { seed: 11 } },
      ])
      expect((await output())[2]).toEqual({ prompt: 'c', generated: 'c', finishReason: 'stop' })
      expect((await output()).map(({ generated }) => generated)).toEqual(['a', 'b', 'c', 'd', 'e'])

      const asked = model.continued.length
      expect((await generate(model, '--raw', '--resume')).err).toContain('is complete: 5 records.')
      expect(model.continued).toHaveLength(asked)
    },
  )

  it('ends at once where the model fails, and not a record', async () => {
    const model = new StubModel()
    model.answerTo = () => {
      throw new DeviceError('device.lost', 'Gone.')
    }
    expect((await generate(model, '--raw')).err).toContain('Gone.')
    expect(model.continued).toHaveLength(1)
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('')
  })

  it('refuses text that is no UTF-8 before a model is loaded, and reads it by its encoding', async () => {
    const gbk = Buffer.concat([
      Buffer.from('{"prompt": "a"}\n{"prompt": "'),
      Buffer.of(0xc4, 0xe3),
      Buffer.from('"}'),
    ])
    await writeFile(join(folder, 'in'), gbk)
    const loadModel = () => Promise.reject(new Error('The model was loaded.'))
    const args = ['generate', 'm', '--raw', '--input', join(folder, 'in'), '--output', join(folder, 'out')]
    const { code, err } = await command(args, stubLibrary(undefined, { loadModel }))
    expect([code, err]).toEqual([1, expect.stringContaining('in, line 2: the bytes are no UTF-8 text')])
    await expect(readFile(join(folder, 'out'))).rejects.toThrow('ENOENT')
    const model = new StubModel()
    expect((await generate(model, '--raw', '--encoding', 'gb18030')).code).toBe(0)
    expect((await output())[1]).toMatchObject({ prompt: '你' })
  })

  it('stops by Ctrl-C and says how far it came', async () => {
    const io = testIo()
    const model = new StubModel()
    model.answerTo = (prompt) => {
      if (prompt === 'b') io.interrupt()
      return String(prompt)
    }
    const args = ['generate', 'm', '--raw', '--input', join(folder, 'in'), '--output', join(folder, 'out')]
    expect(await run(args, io, stubLibrary(model))).toBe(130)
    expect(io.stderr.text).toContain('2 of 5 records are written. The same command with --resume continues')
    expect(await output()).toHaveLength(2)
  })

  it('reads stdin and writes stdout, which holds nothing else', async () => {
    const args = ['generate', 'm', '--raw', '--input', '-', '--output', '-']
    const { out, err } = await command(args, stubLibrary(), '{"content":"a","summary":"s"}\n')
    expect(out).toBe('{"content":"a","summary":"s","generated":"answer to \\"a\\"","finishReason":"stop"}\n')
    expect(err).toContain('1 record in')
    expect((await command(args, stubLibrary(), '{"x":1}')).err).toContain('stdin, line 1: expected a field')
  })

  it('does not load a model for an input that cannot be read', async () => {
    const loadModel = () => Promise.reject(new Error('The model was loaded.'))
    const library = stubLibrary(undefined, { loadModel })
    const { code, err } = await command(['generate', 'm', '--input', '/no/file', '--output', '-'], library)
    expect([code, err]).toEqual([1, 'error: Cannot read /no/file: it does not exist.\n'])
  })
})
