/** Writes the text of the small model: `npx vite build --mode programs && node build/make-tiny-corpus.js FOLDER`. */
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError } from 'commander'
import { Tokenizer } from '../src/tokenizer/index.js'
import { heldOutRecords, trainingRecords } from './tiny/corpus/corpus.js'
import { TASKS } from './tiny/corpus/task.js'
import { CorpusTable, formatRows } from './tiny/corpus-table.js'
import { MAX_PREFIX_RECORDS, PREFIX_TASKS } from './tiny/prefix-tasks/prefix-tasks.js'
import { smallModelTokenizerFile } from './tiny/tokenizer.js'

const HELD_OUT = 200

function positiveInteger(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number above 0.')
}

const writeLines = (path: string, records: Iterable<object>) =>
  pipeline(Readable.from(lines(records)), createWriteStream(path))

function* lines(records: Iterable<object>): Generator<string> {
  for (const record of records) yield `${JSON.stringify(record)}\n`
}

await new Command('make-tiny-corpus')
  .description(
    'Writes what the small model is trained on, and its tokenizer. The same bytes for the same seed.',
  )
  .argument('<folder>', 'where to write it')
  .option('--records <count>', 'conversations to train on', positiveInteger, 300_000)
  .option('--seed <number>', 'another seed gives other conversations', positiveInteger, 1)
  .action(async (folder: string, { records, seed }: { records: number; seed: number }) => {
    await mkdir(folder, { recursive: true })
    const tokenizerFile = smallModelTokenizerFile()
    await writeFile(join(folder, 'tokenizer.model'), tokenizerFile)
    const table = new CorpusTable()
    const counted = function* () {
      for (const record of trainingRecords(seed, records)) {
        table.addTraining(record)
        yield record.conversation
      }
    }
    await writeLines(join(folder, 'train.jsonl'), counted())
    for (const task of TASKS) {
      const heldOut = heldOutRecords(task, HELD_OUT)
      for (const record of heldOut) table.addHeldOut(record)
      await writeLines(
        join(folder, `heldout-${task}.jsonl`),
        heldOut.map(({ conversation }) => conversation),
      )
    }
    for (const task of PREFIX_TASKS) {
      await writeLines(
        join(folder, `prefix-${task.name}-train.jsonl`),
        task.trainingRecords(MAX_PREFIX_RECORDS),
      )
      await writeLines(
        join(folder, `prefix-${task.name}-heldout.jsonl`),
        task.heldOutRecords(HELD_OUT).map(({ conversation }) => conversation),
      )
    }
    console.log(formatRows(await table.rows(Tokenizer.fromSentencePiece(tokenizerFile))))
  })
  .parseAsync()
