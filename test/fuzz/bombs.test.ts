/** Inputs whose work is out of proportion to their length: they are refused, or read, within seconds and some memory. */
import { marked } from 'marked'
import { describe, expect, it } from 'vitest'
import { GrowingMarkdown, readMarkdown } from '../../demo/src/markdown/read.js'
import { readStateDict } from '../../src/checkpoint/formats/torch-pickle.js'
import { openCheckpoint } from '../../src/checkpoint/index.js'
import { CountingSource, memory, safetensorsBytes } from '../../src/checkpoint/testing.js'
import { readRecords } from '../../src/data/read-records.js'
import { parseSettings } from '../../src/finetune/settings-file.js'
import { parseToolCall } from '../../src/tokenizer/python-literal.js'
import { readSentencePieceModel } from '../../src/tokenizer/sentencepiece.js'
import { type Failure, isOneOf } from './reader.js'

const MB = 2 ** 20
/** Of the processor, as machines of tests are shared: many times what any of these takes. */
const MAX_SECONDS = 5
/** What the process takes by itself while it works, garbage included. */
const MEMORY_AT_REST = 320 * MB

/** Runs a reader within time and memory: four times its input. */
async function bounded<T>(inputBytes: number, read: () => T | Promise<T>): Promise<T> {
  const peak = () => process.resourceUsage().maxRSS * 1024
  const before = peak()
  const begun = process.cpuUsage()
  try {
    return await read()
  } finally {
    const { user, system } = process.cpuUsage(begun)
    expect((user + system) / 1e6).toBeLessThan(MAX_SECONDS)
    expect(peak() - before).toBeLessThan(4 * inputBytes + MEMORY_AT_REST)
  }
}

async function refusedBy(failure: Failure, bytes: number, read: () => unknown) {
  const reading = bounded(bytes, async () => read())
  await expect(reading).rejects.toSatisfy((error) => isOneOf(error, [failure]))
}

/** Reads all records of a file that gives the same piece many times. */
async function readAll(name: string, pieces: readonly BlobPart[]): Promise<void> {
  for await (const _ of readRecords(new File([...pieces], name)));
}

describe('a checkpoint', () => {
  it('whose index has tens of MB is refused before it is read', async () => {
    const source = new CountingSource(memory({ 'model.safetensors.index.json': new Uint8Array(40 * MB) }))
    await refusedBy('checkpoint', 0, () => openCheckpoint(source))
    expect(source.total).toBe(0)
  })

  it('whose header has tens of MB is refused before it is read', async () => {
    const source = new CountingSource(memory({ 'model.safetensors': safetensorsBytes(' '.repeat(40 * MB)) }))
    await refusedBy('checkpoint', 0, () => openCheckpoint(source))
    // What kind of file it is, and how long its header.
    expect(source.total).toBeLessThan(1024)
  })

  it.each([
    ['lists in lists', '['.repeat(4 * MB)],
    ['empty objects', `[${'{},'.repeat(2.5 * MB)}{}]`],
    ['keys', `{${Array.from({ length: 700_000 }, (_, i) => `"${i}":0`).join()}}`],
    ['one text', `{"a":"${'\\"'.repeat(3 * MB)}"}`],
  ])('whose header is nothing but %s is refused', async (_, header) => {
    const file = safetensorsBytes(header)
    await refusedBy('checkpoint', file.byteLength, () =>
      openCheckpoint(memory({ 'model.safetensors': file })),
    )
  })
})

describe('a pickle', () => {
  /** PROTO 2, an opening, one part again and again, STOP. */
  const pickle = (opening: string, part: string, times: number) =>
    Buffer.from(`\x80\x02${opening}${part.repeat(times)}.`, 'latin1')

  it.each([
    ['lists', pickle('', ']', 8 * MB)],
    ['dicts', pickle('', '}', 8 * MB)],
    ['marks', pickle('', '(', 8 * MB)],
    ['marks and lists', pickle('', '(t', 4 * MB)],
    ['tuples in tuples', pickle(')', '\x85', 8 * MB)],
    ['values that are remembered', pickle('N', '\x94', 8 * MB)],
    ['lists of the list before, twice', pickle(']q\0', '](h\0h\0eq\0', 100_000)],
    ['items of one dict', pickle('}', 'NNs', 2 * MB)],
    ['lists that grow', pickle(']', '(NNNNNNNNe', MB)],
  ])('of nothing but %s is refused', async (_, bytes) => {
    await refusedBy('checkpoint', bytes.byteLength, () => readStateDict(bytes, 'pickle'))
  })

  it('whose tensors share a shape of a million sizes is refused', async () => {
    const storage = '(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x04tQ'
    const shape = `(${'K\x01'.repeat(MB)}t`
    const opening = `ctorch._utils\n_rebuild_tensor_v2\nq\x01${storage}q\x02${shape}q\x03`
    const args = '(h\x02K\0h\x03h\x03tq\x04'
    const bytes = pickle(opening + args, 'h\x01h\x04R', 100_000)
    await refusedBy('checkpoint', bytes.byteLength, () => readStateDict(bytes, 'pickle'))
  })
})

describe('a tokenizer', () => {
  it('of millions of pieces is refused', async () => {
    const bytes = Buffer.from('\x0a\x03\x0a\x01a'.repeat(3 * MB), 'latin1')
    await refusedBy('checkpoint.tokenizer-invalid', bytes.byteLength, () => readSentencePieceModel(bytes))
  })
})

describe('a call of a tool', () => {
  it.each([
    ['brackets', `tool_call(a=${'['.repeat(MB)}`],
    ['a text without an end', `tool_call(a='${'a'.repeat(4 * MB)}`],
    ['strings in a row', `tool_call(a=${"'' ".repeat(MB)}`],
    ['digits', `tool_call(a=${'1_'.repeat(2 * MB)})`],
    ['comments', `tool_call(${'#\n'.repeat(2 * MB)}`],
  ])('of %s is refused', async (_, call) => {
    await refusedBy('input.python-literal', call.length, () => parseToolCall(call))
  })
})

describe('a data file', () => {
  const piece = 'a'.repeat(MB)

  it.each([
    ['a line of JSON lines of 300 MB', 'x.jsonl', ['{"prompt": "', ...Array(300).fill(piece)]],
    ['a record of a JSON list of 300 MB', 'x.json', ['[{"prompt": "', ...Array(300).fill(piece)]],
    ['a cell of CSV of 300 MB', 'x.csv', ['prompt,response\n"', ...Array(300).fill(piece)]],
    ['a header of CSV of 300 MB', 'x.csv', Array(300).fill(piece)],
    ['lists in lists on a line', 'x.jsonl', ['{"prompt":', '['.repeat(2 * MB)]],
    ['lists in lists in a list', 'x.json', ['['.repeat(2 * MB)]],
    ['lists in lists in a cell', 'x.csv', ['tools\n', '['.repeat(2 * MB)]],
    ['empty objects on a line', 'x.jsonl', ['{"prompt":[', '{},'.repeat(1.3 * MB)]],
  ])('with %s is refused', async (_, name, pieces) => {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
    await refusedBy('input.dataset', Math.min(bytes, 16 * MB), () => readAll(name, pieces))
  })

  it('of empty lines and long space is read on to the record behind them', async () => {
    const file = new File(
      [' '.repeat(3 * MB), '\n'.repeat(2 * MB), '{"prompt": "a", "response": "b"}'],
      'x.jsonl',
    )
    const found = await bounded(file.size, async () => {
      const records = []
      for await (const record of readRecords(file)) records.push(record)
      return records
    })
    expect(found).toEqual([{ value: { prompt: 'a', response: 'b' }, where: `x.jsonl, line ${2 * MB + 1}` }])
  })
})

describe('settings', () => {
  it.each([
    ['10 MB of names', Array.from({ length: MB }, (_, i) => `a${i}: 1\n`).join('')],
    ['as many names as there may be', Array.from({ length: 10_000 }, (_, i) => `${i}:\n`).join('')],
    ['lists in lists', '['.repeat(60_000)],
    ['names in names', '? '.repeat(30_000)],
    ['a list that is its own item', 'LR: &a [*a]'],
    [
      'aliases of aliases',
      `a: &a [x]\n${'bcdefghijklmnop'.replace(/./g, (name, i) => `${name}: &${name} [${`*${'abcdefghijklmno'[i]},`.repeat(9)}]\n`)}`,
    ],
    ['a name that every object has', 'toString: 1'],
    ['a value that every object has', 'lr_scheduler_type: constructor'],
  ])('of %s are refused', async (_, text) => {
    await refusedBy('option.settings-file', text.length, () => parseSettings(text, 'x.yaml'))
  })
})

describe('an answer on the page', () => {
  it.each([
    ['quotes in quotes', `${'> '.repeat(2000)}x`],
    ['items in items', Array.from({ length: 500 }, (_, i) => `${' '.repeat(2 * i)}- x`).join('\n')],
    ['items in items on a line', `${'- '.repeat(2000)}x`],
    ['what looks like an address', `${'a_'.repeat(20_000)}@`],
    ['words that look like addresses', `${`${'a_'.repeat(240)}@ `.repeat(40)}@`],
    ['marks around marks', `${'*'.repeat(20_000)}a${'*'.repeat(20_000)}`],
    ['underlines', '_a'.repeat(20_000)],
    ['space', `a${' '.repeat(40_000)}a`],
    ['brackets', '['.repeat(40_000)],
    ['comments that do not end', '<!--'.repeat(10_000)],
  ])('of %s is read', async (_, text) => {
    await bounded(text.length, () => {
      const growing = new GrowingMarkdown()
      growing.read(text.slice(0, text.length / 2))
      growing.read(text)
      expect(marked.parser(readMarkdown(text))).not.toBe('')
    })
  })

  it('is as it was written where it goes beyond the limits', () => {
    const words = `**${'a_'.repeat(1000)}** <b>`
    expect(marked.parser(readMarkdown(words))).toContain(`**${'a_'.repeat(1000)}** &lt;b&gt;`)
    expect(marked.parser(readMarkdown('**a**\n\n> > _b_'))).toMatch(/<strong>a<\/strong>.*<em>b<\/em>/s)
  })
})
