import { createDataset } from '../../src/data/index.js'
import type { Tokenizer } from '../../src/tokenizer/index.js'
import { markdownTable } from '../markdown-table.js'
import { type CorpusRecord, lastPrompt, promptsOf } from './corpus/corpus.js'
import { TASKS, type TaskName } from './corpus/task.js'

/** Records of a task whose tokens are counted exactly. */
const SAMPLE = 1000
const MAX_LENGTH = 2048

interface Counts {
  records: number
  readonly prompts: Set<string>
  readonly sample: CorpusRecord[]
  heldOut: number
  overlap: number
}

/** What a task has in the corpus. */
export interface TaskRow {
  readonly task: TaskName
  readonly records: number
  /** Different last questions, each with all that stands before it. */
  readonly distinctPrompts: number
  /** Mean of the first 1,000 records. */
  readonly tokensPerRecord: number
  readonly targetsPerRecord: number
  readonly longest: number
  readonly heldOut: number
  /** Held-out prompts that the training text has too. */
  readonly overlap: number
}

/** Counts what is in the corpus. Add all training records first, then those that are held out. */
export class CorpusTable {
  readonly #counts = new Map<TaskName, Counts>()
  /** Every prompt of the training text, those inside a longer conversation as well. */
  readonly #prompts = new Set<string>()

  addTraining(record: CorpusRecord): void {
    const counts = this.#of(record.task)
    counts.records++
    counts.prompts.add(lastPrompt(record.conversation))
    if (counts.sample.length < SAMPLE) counts.sample.push(record)
    for (const prompt of promptsOf(record.conversation)) this.#prompts.add(prompt)
  }

  addHeldOut(record: CorpusRecord): void {
    const counts = this.#of(record.task)
    counts.heldOut++
    if (this.#prompts.has(lastPrompt(record.conversation))) counts.overlap++
  }

  async rows(tokenizer: Tokenizer): Promise<TaskRow[]> {
    const rows: TaskRow[] = []
    for (const task of TASKS) {
      const { records, prompts, sample, heldOut, overlap } = this.#of(task)
      const dataset = await createDataset(
        sample.map(({ conversation }) => conversation),
        tokenizer,
        { format: 'multi-turn', maxLength: MAX_LENGTH },
        task,
      )
      let targets = 0
      for (let index = 0; index < dataset.length; index++) targets += dataset.targets(index)
      rows.push({
        task,
        records,
        distinctPrompts: prompts.size,
        tokensPerRecord: dataset.tokens / dataset.length,
        targetsPerRecord: targets / dataset.length,
        longest: dataset.longest,
        heldOut,
        overlap,
      })
    }
    return rows
  }

  #of(task: TaskName): Counts {
    let counts = this.#counts.get(task)
    if (!counts) {
      counts = { records: 0, prompts: new Set(), sample: [], heldOut: 0, overlap: 0 }
      this.#counts.set(task, counts)
    }
    return counts
  }
}

/** The rows as a table of Markdown. */
export function formatRows(rows: readonly TaskRow[]): string {
  const lines = rows.map((row) => [
    row.task,
    row.records,
    row.distinctPrompts,
    row.tokensPerRecord.toFixed(1),
    row.targetsPerRecord.toFixed(1),
    row.longest,
    `${row.overlap} of ${row.heldOut}`,
  ])
  const head = [
    'task',
    'records',
    'distinct prompts',
    'tokens a record',
    'of them learnt',
    'longest',
    'overlap',
  ]
  return markdownTable(head, lines)
}
