/** Training data: what the files may be, and the ids and labels that they become. */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryFiles } from '../checkpoint/index.js'
import type { ChatGLMError } from '../errors/index.js'
import { Tokenizer } from '../tokenizer/index.js'
import { fromAdvertiseGen, fromToolAlpaca, toConversation } from './convert.js'
import {
  createDataset,
  type DataSettings,
  type InputOutputSettings,
  type MultiTurnSettings,
  readDataset,
} from './dataset.js'
import { previewSample } from './preview.js'
import { readRecords } from './read-records.js'
import type { TrainingRecord } from './records.js'

const tiny = Tokenizer.fromSentencePiece(readFileSync('models/tiny/tokenizer.model'))
const PAIRS: InputOutputSettings = { format: 'input-output', maxSourceLength: 64, maxTargetLength: 32 }
const TURNS: MultiTurnSettings = { format: 'multi-turn', maxLength: 128 }

/** A file in memory, as the browser gives one. */
const file = (text: string | Uint8Array, name = 'data.json') =>
  new File([text as Uint8Array<ArrayBuffer>], name)

async function records(text: string, name?: string) {
  const all = []
  for await (const record of readRecords(file(text, name))) all.push(record)
  return all
}

const failure = (text: string, settings: DataSettings = PAIRS, name?: string) =>
  readDataset(file(text, name), tiny, settings).then(
    () => 'no error',
    (error: ChatGLMError) => `${error.code}: ${error.message}`,
  )

describe('a data file', () => {
  const pair = { prompt: '类型#裙', response: '好看' }

  it('is lines of JSON, whatever its ending', async () => {
    const text = `\ufeff${JSON.stringify(pair)}\r\n\n${JSON.stringify(pair)}`
    expect(await records(text)).toEqual([
      { value: pair, where: 'data.json, line 1' },
      { value: pair, where: 'data.json, line 3' },
    ])
  })

  it('is a list of JSON, on one line or on many', async () => {
    const list = [pair, { prompt: '[1, {', response: '}\n]' }]
    expect((await records(JSON.stringify(list))).map(({ value }) => value)).toEqual(list)
    const indented = await records(`\n ${JSON.stringify(list, null, 2)}\n\n`, 'x.jsonl')
    expect(indented).toEqual([
      { value: list[0], where: 'x.jsonl, line 3' },
      { value: list[1], where: 'x.jsonl, line 7' },
    ])
  })

  it('is CSV with a header, in which conversations are JSON', async () => {
    const csv = 'conversations,tools\n"[{""role"":""user"",\n""content"":""a, b""}]",\n'
    expect(await records(csv, 'x.csv')).toEqual([
      {
        value: { conversations: [{ role: 'user', content: 'a, b' }], tools: undefined },
        where: 'x.csv, line 3',
      },
    ])
    const dataset = await readDataset(file('prompt,response\n"1,""2""",ja\n', 'x.csv'), tiny, PAIRS)
    expect(previewSample(tiny, dataset.sample(0))).toEqual([
      { text: '[gMASK]sop 1,"2"', learnt: false },
      { text: ' ja</s>', learnt: true },
    ])
  })

  it('is read in pieces that end anywhere', async () => {
    // More than one chunk of 4 MiB, and characters of three bytes across its end.
    const lines = Array.from({ length: 4000 }, (_, i) =>
      JSON.stringify({ prompt: `${i}`, response: '字'.repeat(400) }),
    )
    for (const text of [lines.join('\n'), `[${lines.join(',\n')}]`]) {
      let read = 0
      for await (const { value, where } of readRecords(file(text))) {
        expect(value).toMatchObject({ prompt: `${read}` })
        expect(where).toBe(`data.json, line ${++read}`)
      }
      expect(read).toBe(lines.length)
    }
  })

  it('may be a path of the disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chatglm-data-'))
    try {
      await writeFile(join(folder, 'a.jsonl'), JSON.stringify(pair))
      const seen: number[] = []
      const dataset = await readDataset(join(folder, 'a.jsonl'), tiny, PAIRS, {
        onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes),
      })
      expect([dataset.length, seen]).toEqual([1, [1]])
      await expect(readDataset(folder, tiny, PAIRS)).rejects.toThrow(/is no data file: give a .json/)
      await expect(readDataset(join(folder, 'b'), tiny, PAIRS)).rejects.toThrow(/does not exist/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([
    ['', 'data.json is empty'],
    [' \n', 'data.json is empty'],
    ['[]', 'data.json has no records'],
    [
      '{"prompt": "a", "response": "b"}\n{"prompt": ',
      'data.json, line 2: expected a JSON object on a line of its own',
    ],
    [
      '[{"prompt": "a", "response": "b"},\n{"prompt": x',
      'data.json, line 2: expected a JSON list of records',
    ],
    ['[{"prompt": "a", "response": "b"}', 'data.json, line 1: expected a JSON list of records'],
    ['[{"prompt": "a", "response": "b"}]\nrest', 'data.json, line 2: expected a JSON list of records'],
    ['[1]', 'data.json, line 1: expected a JSON object, found 1'],
    ['{"prompt": "a"}', 'data.json, line 1: expected response to be a text, found nothing'],
    ['{"prompt": 1, "response": "b"}', 'expected prompt to be a text, found 1'],
    ['{"text": "a"}', 'expected the fields prompt and response, or conversations, found text'],
    ['{"content": "a", "summary": "b"}', 'chatglm data advertise-gen'],
    ['{"NLDocumentation": "a"}', 'chatglm data tool-alpaca'],
    ['{"conversations": [{"role": "user", "content": "a"}]}', 'Use a preset for conversations'],
    ['{"prompt": "a", "response": ""}', undefined],
  ])('%j is refused with file and line', async (text, message) => {
    expect(await failure(text)).toContain(message ? 'input.dataset: ' : 'no error')
    if (message) expect(await failure(text)).toContain(message)
  })

  it.each([
    ['{}', 'expected conversations to be a list of messages, found {}'],
    ['[]', 'expected conversations to be a list of messages, found []'],
    ['["hi"]', 'line 1, message 0: expected a JSON object'],
    [
      '[{"role": "bot", "content": "a"}]',
      'message 0: expected role to be one of system, user, assistant, observation, tool, found "bot"',
    ],
    ['[{"role": "user"}]', 'message 0: expected content to be a text, found nothing'],
    ['[{"role": "user", "content": "a", "loss": "no"}]', 'expected loss to be true or false'],
    ['[{"role": "tool", "name": "f", "observation": 1}]', 'expected parameters to be an object by name'],
    ['[{"role": "tool", "name": "f", "parameters": {}}]', 'expected observation'],
    [
      '[{"role": "tool", "name": "f\\ng", "parameters": {}, "observation": 1}]',
      'expected name to be one line',
    ],
    ['[{"role": "user", "content": "a"}], "tools": "f"', 'expected tools to be a list or an object'],
    ['[{"role": "user", "content": "a"}]', 'none of its 1 records has anything to learn from'],
    ['[{"role": "assistant", "content": "a", "loss": false}]', 'none of its 1 records'],
  ])('conversations %s are refused with the message', async (conversations, message) => {
    expect(await failure(`{"conversations": ${conversations}}`, TURNS)).toContain(message)
  })

  it('is refused if it is no UTF-8, or CSV with ragged lines', async () => {
    const gbk = Uint8Array.of(0x7b, 0xc4, 0xe3, 0xba, 0xc3)
    await expect(readDataset(file(gbk), tiny, PAIRS)).rejects.toThrow(
      'data.json, line 1: the bytes are no UTF-8 text',
    )
    expect(await failure('prompt,response\na,b,c\n', PAIRS, 'x.csv')).toMatch(/x.csv: expected CSV .* line 2/)
    expect(await failure('conversations\nhello\n', TURNS, 'x.csv')).toContain(
      'expected conversations to hold JSON',
    )
    expect(await failure('{"prompt": "a", "response": "b"}', TURNS)).toContain('Use the preset ptuning')
  })
})

describe('a dataset', () => {
  const build = (all: TrainingRecord[], settings: DataSettings) => createDataset(all, tiny, settings)

  it('counts what was cut off, and what has nothing to learn from', async () => {
    const long = '宽松的阔腿裤'.repeat(40)
    const dataset = await build(
      [
        { prompt: 'a', response: 'b' },
        { prompt: long, response: 'b' },
        { prompt: 'a', response: long },
      ],
      PAIRS,
    )
    expect(dataset).toMatchObject({ length: 3, truncated: 2, empty: 0 })
    expect(dataset.sample(1).ids.slice(0, 64)).toEqual(tiny.encodePrompt(long).slice(0, 64))
    expect(dataset.sample(2).ids.at(-1)).toBe(tiny.special.eos)
    expect(dataset.targets(2)).toBe(33)
    const talk = (content: string): TrainingRecord => toConversation({ prompt: content, response: 'ja' })
    const turns = await build([talk('a'), talk(long)], TURNS)
    expect(turns).toMatchObject({ length: 1, truncated: 0, empty: 1 })
  })

  it('is told apart from others by its fingerprint', async () => {
    const a = await build([{ prompt: 'a', response: 'b' }], PAIRS)
    const same = await build([{ prompt: 'a', response: 'b' }], { ...PAIRS, maxTargetLength: 9 })
    const other = await build([{ prompt: 'b', response: 'a' }], PAIRS)
    expect(a.fingerprint).toBe(same.fingerprint)
    expect(a.fingerprint).not.toBe(other.fingerprint)
  })

  it('can be made from anything, and names the record that is wrong', async () => {
    const wrong = [{ prompt: 'a', response: 'b' }, { prompt: 'a' }] as TrainingRecord[]
    await expect(build(wrong, PAIRS)).rejects.toThrow('the data, record 1: expected response')
    await expect(readDataset(new MemoryFiles(), tiny, PAIRS)).rejects.toThrow('memory is no data file')
  })
})

describe('published data', () => {
  it('become samples at once where that is asked for', async () => {
    const api = {
      NLDocumentation: 'getWeather: get the weather',
      Instances: [
        { input: 'Paris?', output: 'Fine.', intermediate_steps: [], 'Final Thought': 'Done.' },
        { input: 'malformed' },
      ],
    }
    const lines = [{ content: 'a#b', summary: 'good' }, api].map((record) => JSON.stringify(record))
    const file = new File([lines.join('\n')], 'mixed.jsonl')
    const settings = { format: 'multi-turn', maxLength: 64 } as const
    const dataset = await readDataset(file, tiny, settings, { convert: true })
    const texts = [0, 1].map((index) =>
      previewSample(tiny, dataset.sample(index))
        .map(({ text }) => text)
        .join(''),
    )
    expect(texts[0]).toContain('a#b')
    expect(texts[1]).toContain('getWeather')
    expect(dataset).toMatchObject({ length: 2, empty: 1 })
    const pairs = { format: 'input-output', maxSourceLength: 16, maxTargetLength: 16 } as const
    await expect(readDataset(file, tiny, pairs, { convert: true })).rejects.toThrow(
      'mixed.jsonl, line 2: expected prompt and response, found conversations',
    )
    await expect(readDataset(file, tiny, pairs)).rejects.toThrow('This is the AdvertiseGen format')
  })

  it('AdvertiseGen becomes pairs, or conversations', () => {
    const pair = fromAdvertiseGen({ value: { content: '类型#裙', summary: '好看' }, where: 'x' })
    expect(pair).toEqual({ prompt: '类型#裙', response: '好看' })
    expect(toConversation(pair)).toEqual({
      conversations: [
        { role: 'user', content: '类型#裙' },
        { role: 'assistant', content: '好看' },
      ],
    })
    expect(() => fromAdvertiseGen({ value: { content: 1 }, where: 'x, line 2' })).toThrow(
      'x, line 2: expected the texts content and summary',
    )
  })

  it('ToolAlpaca becomes conversations with calls of tools; malformed instances are counted', () => {
    const written = 'I look it up.\nAction: getWeather\nAction Input: {"city": "Paris"}'
    const instance = {
      input: 'Weather?',
      output: 'Sunny.',
      'Final Thought': 'I know now.',
      intermediate_steps: [[['getWeather', '{"city": "Paris"}', written], 'sun']],
    }
    const broken = { ...instance, intermediate_steps: [[['getWeather', '{city', written], 'sun']] }
    const value = { NLDocumentation: 'getWeather: …', Instances: [instance, broken, {}] }
    expect(fromToolAlpaca({ value, where: 'x' })).toEqual({
      dropped: 2,
      conversations: [
        {
          tools: ['getWeather: …'],
          conversations: [
            { role: 'user', content: 'Weather?' },
            { role: 'assistant', content: 'I look it up.' },
            { role: 'tool', name: 'getWeather', parameters: { city: 'Paris' }, observation: 'sun' },
            { role: 'assistant', content: 'I know now.\nSunny.' },
          ],
        },
      ],
    })
    expect(() => fromToolAlpaca({ value: {}, where: 'x' })).toThrow('expected an API of ToolAlpaca')
  })
})

const { CHATGLM_TOKENIZER, CHATGLM_GOLDEN } = process.env
const isMissing = !CHATGLM_TOKENIZER || !CHATGLM_GOLDEN
const suffix = isMissing ? ' (skipped: CHATGLM_TOKENIZER or CHATGLM_GOLDEN is not set)' : ''

interface GoldenBatch {
  readonly kind: string
  readonly prompt?: string
  readonly response?: string
  readonly item?: unknown
  readonly conversations?: unknown
  readonly input_ids: number[]
  readonly labels: number[]
}

describe.skipIf(isMissing)(`ids and labels${suffix}`, () => {
  const golden = <T>(name: string): T => JSON.parse(readFileSync(join(CHATGLM_GOLDEN!, 'text', name), 'utf8'))
  let official: Tokenizer
  beforeAll(() => {
    official = Tokenizer.fromSentencePiece(readFileSync(join(CHATGLM_TOKENIZER!, 'tokenizer.model')))
  })
  afterAll(() => {
    official = undefined!
  })

  /** One sample, padded to the right as the official code of 2023 does. */
  async function sampleOf(record: unknown, settings: DataSettings, padTo = 0) {
    const dataset = await createDataset([record as TrainingRecord], official, settings)
    const { ids, labels } = dataset.sample(0)
    const padding = Math.max(0, padTo - ids.length)
    return {
      input_ids: [...ids, ...Array(padding).fill(0)],
      labels: [...labels, ...Array(padding).fill(-100)],
    }
  }

  it('of every format are those of the official code', async () => {
    const batches = golden<GoldenBatch[]>('finetune_batches.json')
    const seen = new Set<string>()
    for (const { kind, input_ids, labels, ...rest } of batches) {
      seen.add(kind.split(' ')[1] ?? kind)
      const expected = { input_ids, labels }
      if (kind.includes('InputOutputDataset')) {
        const settings = { format: 'input-output', maxSourceLength: 64, maxTargetLength: 64 } as const
        expect(await sampleOf(rest, settings, 129)).toEqual(expected)
      } else if (kind.includes('MultiTurnDataset')) {
        expect(await sampleOf(rest.item, { format: 'multi-turn', maxLength: 256 }, 256)).toEqual(expected)
      } else {
        expect(await sampleOf(rest, { format: 'multi-turn', maxLength: 769 })).toEqual(expected)
      }
    }
    expect([...seen].sort()).toEqual(['InputOutputDataset', 'MultiTurnDataset', 'finetune_hf.process_batch'])
  })

  it('of the published notebook are the same', async () => {
    const { content, summary, input_ids, labels } = golden<{
      content: string
      summary: string
      input_ids: number[]
      labels: number[]
    }>('official_notebook_sanity_check.json')
    const record = toConversation({ prompt: content, response: summary })
    const sample = await sampleOf(record, { format: 'multi-turn', maxLength: 769 })
    expect(sample).toEqual({ input_ids, labels })
    const parts = previewSample(official, { ids: sample.input_ids, labels: sample.labels })
    expect(parts).toEqual([
      { text: `[gMASK]sop<|user|> \n ${content}<|assistant|>`, learnt: false },
      { text: ` \n ${summary}</s>`, learnt: true },
    ])
  })
})
