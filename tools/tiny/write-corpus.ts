import { createWriteStream } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Tokenizer } from '../../src/tokenizer/index.js'
import { heldOutRecords, trainingRecords } from './corpus/corpus.js'
import { TASKS } from './corpus/task.js'
import { CorpusTable, formatRows } from './corpus-table.js'
import { MAX_PREFIX_RECORDS, PREFIX_TASKS } from './prefix-tasks/prefix-tasks.js'
import { smallModelTokenizerFile } from './tokenizer.js'

/** Held-out conversations of each task, and how many of them the loss is watched on while the base is trained. */
const HELD_OUT = 200
const WATCHED = 50

/** The files of a corpus, in its folder. */
export const CORPUS_FILES = {
  tokenizer: 'tokenizer.model',
  training: 'train.jsonl',
  watched: 'heldout.jsonl',
  table: 'table.md',
  prefixTraining: (task: string) => `prefix-${task}-train.jsonl`,
  prefixHeldOut: (task: string) => `prefix-${task}-heldout.jsonl`,
} as const

const writeLines = (path: string, records: Iterable<object>) =>
  pipeline(Readable.from(lines(records)), createWriteStream(path))

function* lines(records: Iterable<object>): Generator<string> {
  for (const record of records) yield `${JSON.stringify(record)}\n`
}

/**
 * Writes what the small model is trained on, and its tokenizer. The same bytes for the same seed.
 * @param records conversations to train on
 * @returns what each task has, as a table of Markdown
 */
export async function writeCorpus(folder: string, records: number, seed: number): Promise<string> {
  await mkdir(folder, { recursive: true })
  const tokenizerFile = smallModelTokenizerFile()
  await writeFile(join(folder, CORPUS_FILES.tokenizer), tokenizerFile)
  const table = new CorpusTable()
  const counted = function* () {
    for (const record of trainingRecords(seed, records)) {
      table.addTraining(record)
      yield record.conversation
    }
  }
  await writeLines(join(folder, CORPUS_FILES.training), counted())
  const watched: object[] = []
  for (const task of TASKS) {
    const heldOut = heldOutRecords(task, HELD_OUT)
    for (const record of heldOut) table.addHeldOut(record)
    const conversations = heldOut.map(({ conversation }) => conversation)
    await writeLines(join(folder, `heldout-${task}.jsonl`), conversations)
    watched.push(...conversations.slice(0, WATCHED))
  }
  await writeLines(join(folder, CORPUS_FILES.watched), watched)
  for (const task of PREFIX_TASKS) {
    await writeLines(
      join(folder, CORPUS_FILES.prefixTraining(task.name)),
      task.trainingRecords(MAX_PREFIX_RECORDS),
    )
    await writeLines(
      join(folder, CORPUS_FILES.prefixHeldOut(task.name)),
      task.heldOutRecords(HELD_OUT).map(({ conversation }) => conversation),
    )
  }
  const rows = formatRows(await table.rows(Tokenizer.fromSentencePiece(tokenizerFile)))
  await writeFile(join(folder, CORPUS_FILES.table), `${rows}\n`)
  return rows
}

/** A folder that is no text to train the small model on. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError'
}

/**
 * Checks that a folder has every file that the small model is trained on.
 * @throws CorpusError for a file that is missing or empty, which says what to do
 */
export async function checkCorpus(folder: string): Promise<void> {
  const { tokenizer, training, watched, table, prefixTraining, prefixHeldOut } = CORPUS_FILES
  const ofPrefixes = PREFIX_TASKS.flatMap(({ name }) => [prefixTraining(name), prefixHeldOut(name)])
  for (const file of [tokenizer, training, watched, table, ...ofPrefixes]) {
    const path = join(folder, file)
    const bytes = await stat(path).then(
      ({ size }) => size,
      () => undefined,
    )
    if (!bytes) {
      const problem = bytes === 0 ? 'is empty' : 'is missing'
      const advice = `\`node build/make-tiny-corpus.js FOLDER\` writes the text to a folder; without --corpus it is written first.`
      throw new CorpusError(`${path} ${problem}. ${advice}`)
    }
  }
}
