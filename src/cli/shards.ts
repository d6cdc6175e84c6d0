import { rename, rm, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Context } from './context.js'
import { CommandError } from './errors.js'
import { count } from './format.js'
import { encodingOption, fileError, readText, type TextFlags } from './read-text.js'
import { checkWritten, parseRecords } from './records.js'

/** A part of the records of a file, the same for everybody: number `index`, from 0, of `count`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** `0/4`. @throws InvalidArgumentError */
function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text)?.map(Number) ?? []
  if (index === undefined || index >= count) {
    throw new InvalidArgumentError('Expected a part and how many there are, counted from 0: 0/4 to 3/4.')
  }
  return { index, count }
}

export function shardOption(): Option {
  return new Option(
    '--shard <part>',
    'only this part of the records: 0/4 to 3/4 are four parts, one behind the other',
  ).argParser(parseShard)
}

/** Where a part begins, and the place behind its end. Parts differ by one record at most. */
export function rangeOf(records: number, { index, count }: Shard): readonly [number, number] {
  return [Math.floor((index * records) / count), Math.floor(((index + 1) * records) / count)]
}

interface MergeFlags extends TextFlags {
  readonly input: string
  readonly output: string
  readonly raw?: true
}

const EXAMPLES = `
Examples:
  $ chatglm generate models/chatglm3-6b-int4 --shard 0/2 --input questions.jsonl --output part-0.jsonl
  $ chatglm generate models/chatglm3-6b-int4 --shard 1/2 --input questions.jsonl --output part-1.jsonl
  $ chatglm merge-shards part-*.jsonl --input questions.jsonl --output answers.jsonl
`

export function mergeShardsCommand(context: Context): Command {
  return new Command('merge-shards')
    .description('put the outputs of generate --shard together, after looking whether they are complete')
    .argument('<parts...>', 'the outputs of all parts; part-2 comes before part-10')
    .requiredOption('--input <file>', 'what was answered')
    .requiredOption('--output <file>', 'JSON lines to write, in the order of the input')
    .option('--raw', 'as it was given to generate')
    .addOption(encodingOption())
    .addHelpText('after', EXAMPLES)
    .action((parts: readonly string[], flags: MergeFlags) => merge(context, parts, flags))
}

async function merge({ terminal, loadLibrary }: Context, parts: readonly string[], flags: MergeFlags) {
  const { input, output, raw = false } = flags
  const library = await loadLibrary()
  const records = parseRecords(library, await readText(library, input, flags), input, raw)
  const files = parts.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const lines: string[] = []
  let failed = 0
  for (const [index, file] of files.entries()) {
    const [begin, end] = rangeOf(records.length, { index, count: files.length })
    // What stands behind the last end of a line was not written to its end.
    const written = (await readText(library, file)).split('\n').slice(0, -1)
    failed += checkWritten(library, written, records.slice(begin, end), file).length
    if (written.length < end - begin) {
      throw new CommandError(
        `${file} has ${written.length} of ${count(end - begin, 'record')}. Run generate --shard ${index}/${files.length} --resume first.`,
      )
    }
    lines.push(...written)
  }
  const partial = `${output}.partial`
  try {
    await writeFile(partial, lines.map((line) => `${line}\n`).join(''))
    await rename(partial, output)
  } catch (error) {
    await rm(partial, { force: true })
    throw fileError(error, `write ${output}`)
  }
  const without = failed > 0 ? `; ${failed} of them have no answer, "error" says why` : ''
  terminal.note(
    `${count(lines.length, 'record')} of ${count(files.length, 'part')} are in ${output}${without}.`,
  )
}
