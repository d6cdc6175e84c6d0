import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chatglmConfig } from '../chatglm-config.js'
import { markdownTable } from '../markdown-table.js'
import type { SmallModelEvaluation } from './evaluate-model.js'
import type { JudgedAnswer, TaskEvaluation } from './evaluate-tasks.js'
import { SMALL_MODEL } from './shape.js'

/** What the card is written from. */
export interface CardFacts {
  readonly evaluation: SmallModelEvaluation
  /** What it was trained on. */
  readonly hardware: string
  readonly seconds: Readonly<Record<string, number>>
  readonly corpusTable: string
  readonly records: number
  readonly seed: number
  readonly folders: {
    readonly base: string
    readonly model: string
    readonly prefixes: Readonly<Record<string, string>>
  }
}

/** Answers of the base that are shown whole. */
const SHOWN = { chat: 8, copy: 3, system: 3, tool: 2, translation: 2, arithmetic: 1, repeat: 1 } as const
const SHOWN_OF_PREFIX = 3

const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)} %`)
const loss = (value: number) => value.toFixed(3)

const taskOf = (evaluations: readonly TaskEvaluation[], name: string) =>
  evaluations.find(({ task }) => task === name)!

/** What is counted as right, where it is not the whole text. */
const MEASURES: Readonly<Record<string, string>> = {
  chat: 'closed questions only',
  arithmetic: 'whole answer',
  translation: 'whole answer',
  copy: 'every attribute mentioned',
  system: 'every instruction followed',
  tool: 'name and parameters of the call',
  repeat: 'whole answer',
  poem: 'four lines of seven characters',
  json: 'strict JSON, equal fields',
}

function baseTable({ float, base }: SmallModelEvaluation): string {
  const rows = float.map((one) => {
    const quantized = taskOf(base, one.task)
    return [
      one.task,
      MEASURES[one.task],
      `${one.samples}`,
      loss(one.loss),
      loss(quantized.loss),
      percent(one.exact),
      percent(quantized.exact),
    ]
  })
  return markdownTable(
    ['task', 'right is', 'held out', 'loss, float16', 'loss, INT4', 'right, float16', 'right, INT4'],
    rows,
  )
}

function prefixTable({ base, prefixes }: SmallModelEvaluation): string {
  const rows = Object.entries(prefixes).map(([name, evaluations]) => {
    const [without, withPrefix] = [taskOf(base, name), taskOf(evaluations, name)]
    return [
      `\`${name}\``,
      MEASURES[name],
      loss(without.loss),
      loss(withPrefix.loss),
      `${Math.round(100 * (1 - withPrefix.loss / without.loss))} %`,
      percent(without.exact),
      percent(withPrefix.exact),
    ]
  })
  return markdownTable(
    ['prefix', 'right is', 'loss without', 'loss with', 'lower by', 'right without', 'right with'],
    rows,
  )
}

/** The base's own tasks while a prefix is on. */
function disturbanceTable({ base, prefixes }: SmallModelEvaluation): string {
  const names = Object.keys(prefixes) as (keyof typeof prefixes)[]
  const rows = base
    .filter(({ task }) => !names.includes(task as keyof typeof prefixes))
    .map((one) => [
      one.task,
      `${loss(one.loss)}, ${percent(one.exact)}`,
      ...names.map((name) => {
        const disturbed = taskOf(prefixes[name], one.task)
        return `${loss(disturbed.loss)}, ${percent(disturbed.exact)}`
      }),
    ])
  return markdownTable(['task', 'without', ...names.map((name) => `with \`${name}\``)], rows)
}

/** Evenly spread over all, so that nobody has picked them. */
function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from(
    { length: Math.min(count, all.length) },
    (_, i) => all[Math.floor((i * all.length) / count)],
  )
}

function samples(answers: readonly JudgedAnswer[], count: number): string {
  const inCell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', '<br>')
  return spread(answers, count)
    .map(({ question, answer }) => `| ${inCell(question)} | ${inCell(answer)} |`)
    .join('\n')
}

function shownAnswers({ base, prefixes }: SmallModelEvaluation): string {
  const head = '| question | answer |\n| --- | --- |'
  const ofBase = Object.entries(SHOWN).map(([task, count]) => samples(taskOf(base, task).answers, count))
  const ofPrefixes = Object.entries(prefixes).map(
    ([name, evaluations]) =>
      `With the prefix \`${name}\`:\n\n${head}\n${samples(taskOf(evaluations, name).answers, SHOWN_OF_PREFIX)}`,
  )
  return [`${head}\n${ofBase.join('\n')}`, ...ofPrefixes].join('\n\n')
}

async function folderBytes(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  )
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

interface State {
  readonly global_step: number
  /** The lowest held-out loss, and whose it is. */
  readonly best_metric: number | null
  readonly best_model_checkpoint: string | null
  readonly log_history: readonly { readonly loss?: number; readonly eval_loss?: number }[]
}

async function stateOf(folder: string): Promise<State> {
  return JSON.parse(await readFile(join(folder, 'trainer_state.json'), 'utf8')) as State
}

/** Of sums and differences, and of products, the share that is right. */
function arithmeticShares({ base }: SmallModelEvaluation): { sums: string; products: string } {
  const { answers } = taskOf(base, 'arithmetic')
  const share = (of: readonly JudgedAnswer[]) =>
    percent(of.filter(({ isRight }) => isRight).length / of.length)
  const isProduct = ({ reference }: JudgedAnswer) => reference.includes('×')
  return { sums: share(answers.filter((one) => !isProduct(one))), products: share(answers.filter(isProduct)) }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`
const minutes = (seconds = 0) => `${(seconds / 60).toFixed(1)} minutes`

function weightCount(): number {
  const { num_layers, hidden_size, ffn_hidden_size, num_attention_heads, kv_channels, ...rest } = SMALL_MODEL
  const attended = num_attention_heads * kv_channels
  const qkv = attended + 2 * rest.multi_query_group_num * kv_channels
  const layer =
    (hidden_size + 1) * qkv + hidden_size * attended + 3 * hidden_size * ffn_hidden_size + 2 * hidden_size
  return num_layers * layer + hidden_size + 2 * rest.padded_vocab_size * hidden_size
}

/** The model card, in Markdown: everything in it is counted or measured. */
export async function modelCard({
  evaluation,
  hardware,
  seconds,
  corpusTable,
  records,
  seed,
  folders,
}: CardFacts): Promise<string> {
  const config = chatglmConfig(SMALL_MODEL)
  const base = await stateOf(folders.base)
  const { sums, products } = arithmeticShares(evaluation)
  const yesNo = taskOf(evaluation.base, 'system').details['yes-no']
  const tool = taskOf(evaluation.base, 'tool')
  const prefixes = await Promise.all(
    Object.entries(folders.prefixes).map(async ([name, folder]) => {
      const { best_metric, best_model_checkpoint } = await stateOf(folder)
      const { pre_seq_len: rows } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as {
        pre_seq_len: number
      }
      const bytes = (await stat(join(folder, 'model.safetensors'))).size
      return `\`${name}\` (${rows} rows, ${megabytes(bytes)}, ${best_model_checkpoint}, held-out loss ${loss(best_metric!)})`
    }),
  )
  return `# The small model that ships with the repository

A ChatGLM3 of ${(weightCount() / 1e6).toFixed(1)} million weights, trained from random numbers by this project's own kernels, quantized by its own
converter, adapted by its own P-Tuning. It is here so that whoever clones the repository or opens the page gets an answer within
seconds, without a download and without a GPU. It knows the little that it was taught, and nothing else.

| | |
| --- | --- |
| architecture | ChatGLM3: ${config.num_layers} layers, hidden size ${config.hidden_size}, ${config.num_attention_heads} heads of ${config.kv_channels}, ${config.multi_query_group_num} key/value groups, feed-forward size ${config.ffn_hidden_size} |
| context | ${config.seq_length} positions; trained on up to 400 |
| weights | 4 bits in groups of 32 (MLX's safetensors convention); norms and biases in float16; ${megabytes(await folderBytes(folders.model))} with the tokenizer |
| tokenizer | SentencePiece BPE with byte fallback, ${config.padded_vocab_size} tokens with ChatGLM3's nine special ones, learned from the same text |
| languages | Chinese and English, as far as the text goes |
| prefixes | ${prefixes.join('; ')}; each from 2,000 samples |
| licence | as the repository |

## What it was taught

Nothing was taken from elsewhere: a program (\`tools/tiny/corpus\`) writes all of the text, from a seed. ${records.toLocaleString('en')} conversations:

${corpusTable.trim()}

\`overlap\` counts held-out prompts that the training text has too. The prefixes learn from answers that the base never saw: \`poem\` writes
four lines of seven characters about a product, \`json\` lists its attributes as strict JSON. The question is the bare attribute list
either time, as for \`copy\`.

## How it was trained

\`\`\`sh
npm run train:tiny
\`\`\`

Seed ${seed}; on ${hardware}. Text ${minutes(seconds.text)}, base ${minutes(seconds.base)}, both prefixes ${minutes(seconds.prefixes)}, evaluation ${minutes(seconds.evaluation)}. The base
took ${base.global_step.toLocaleString('en')} steps of 128 conversations with AdamW; settings are in \`tools/tiny/base.yaml\` and \`prefix.yaml\`. Its loss at the end was
${loss(base.log_history.findLast((entry) => entry.loss !== undefined)!.loss!)} on the text and ${loss(base.best_metric!)} on what was held out.

![Loss over the steps](loss.svg)

## What it can do

Answers to held-out questions, greedily. Losses are nats a token.

${baseTable(evaluation)}

After the true observation of a tool, ${percent(tool.exactAfterCall)} of the final answers are the expected text to the letter.

${prefixTable(evaluation)}

With a prefix off, the base is what it was: a prefix changes no weight. With it on, the base's own tasks (loss, right) become:

${disturbanceTable(evaluation)}

## What it cannot do

- It knows no facts beyond its text, and makes up an answer to everything else.
- Sums and differences are learnt up to 99, products up to 12 times 12. Beyond that it is wrong. Of the held-out questions for sums and differences
  ${sums} are right, of those for products ${products}. Those sums and differences are in the text in no wording; products are, because a
  multiplication table does not follow from anything, and what is held out are wordings that ask for them.
- Told to answer with yes or no, it is right in ${percent(yesNo)} of questions it has not seen that way${(yesNo ?? 0) < 0.6 ? ': little better than a coin' : ''}.
- It translates the phrases of a small grammar, not language at large.
- Characters that its text does not have were never trained: they are noise to it.
- A prefix writes about products as in its samples, in Chinese. Three of ten samples stand behind a chat, so that a prefix may be changed in its middle.
- It learnt chats of up to five turns, and no longer ones.

## Answers

Evenly spread over what was held out; nobody has picked them. INT4, greedily. Some questions stand behind a system message, a list of
tools or a longer conversation that are not shown.

${shownAnswers(evaluation)}
`
}
