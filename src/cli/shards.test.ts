import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rangeOf } from './shards.js'
import { command, StubModel, stubLibrary } from './testing.js'

describe('parts of a file', () => {
  let folder: string
  let input: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-shards-'))
    input = join(folder, 'questions.jsonl')
    const records = Array.from({ length: 11 }, (_, index) =>
      JSON.stringify({ id: index, prompt: `question ${index}` }),
    )
    await writeFile(input, `${records.join('\n')}\n`)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const part = (index: number) => join(folder, `part-${index}.jsonl`)
  const generate = (output: string, ...more: string[]) => {
    const model = new StubModel()
    const args = ['generate', 'tiny', '--input', input, '--output', output, '--seed', '5', ...more]
    return command(args, stubLibrary(model)).then((result) => ({ ...result, model }))
  }
  const merge = (output: string, count: number) => {
    const parts = Array.from({ length: count }, (_, index) => part(index))
    return command(['merge-shards', ...parts.toSorted(), '--input', input, '--output', output])
  }

  it('cover it, each record once', () => {
    for (const [records, count] of [
      [11, 4],
      [3, 5],
      [0, 2],
      [100, 1],
    ]) {
      const ranges = Array.from({ length: count }, (_, index) => rangeOf(records, { index, count }))
      expect(ranges[0][0]).toBe(0)
      expect(ranges[count - 1][1]).toBe(records)
      for (const [at, [begin, end]] of ranges.entries()) {
        expect(end - begin).toBeLessThanOrEqual(Math.ceil(records / count))
        if (at > 0) expect(begin).toBe(ranges[at - 1][1])
      }
    }
  })

  it('are what the whole is when they are put together, seeds included', async () => {
    const whole = await generate(join(folder, 'whole.jsonl'))
    // More parts than ten, so that part-10 must not come before part-2, and more than records.
    const seeds: (number | undefined)[] = []
    for (let index = 0; index < 12; index++) {
      const { model, code } = await generate(part(index), '--shard', `${index}/12`)
      expect(code).toBe(0)
      seeds.push(...model.continued.map(({ options }) => options.seed))
    }
    expect(seeds).toEqual(whole.model.continued.map(({ options }) => options.seed))
    const output = join(folder, 'answers.jsonl')
    const { code, err } = await merge(output, 12)
    expect([code, err]).toEqual([0, expect.stringContaining('11 records of 12 parts are in')])
    expect(await readFile(output, 'utf8')).toBe(await readFile(join(folder, 'whole.jsonl'), 'utf8'))
  })

  it('are resumed; what is not complete is not put together', async () => {
    await generate(part(0), '--shard', '0/2')
    await generate(part(1), '--shard', '1/2')
    const complete = await readFile(part(1), 'utf8')
    await writeFile(part(1), complete.slice(0, complete.length - 30))
    const output = join(folder, 'answers.jsonl')
    const { code, err } = await merge(output, 2)
    expect(code).toBe(1)
    expect(err).toContain('part-1.jsonl has 5 of 6 records. Run generate --shard 1/2 --resume first.')
    await expect(readFile(output)).rejects.toThrow('ENOENT')
    await generate(part(1), '--shard', '1/2', '--resume')
    expect((await merge(output, 2)).code).toBe(0)
  })

  it('of another division or another file are refused', async () => {
    await generate(part(0), '--shard', '0/3')
    await generate(part(1), '--shard', '1/3')
    expect((await merge(join(folder, 'answers.jsonl'), 2)).code).toBe(1)
    const { err } = await generate(part(1), '--shard', '2/3', '--resume')
    expect(err).toContain('does not belong to line 8 of the input')
  })

  it.each(['4/4', '1', '-1/2', '1/0', 'a/b'])('are not called %s', async (shard) => {
    const { code, err } = await generate(part(0), `--shard=${shard}`)
    expect([code, err]).toEqual([2, expect.stringContaining('Expected a part and how many there are')])
  })
})
