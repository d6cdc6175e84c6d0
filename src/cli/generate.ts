import { resolve } from 'node:path'
import { Command } from 'commander'
import { type ErrorCode, hasCode } from '../errors/index.js'
import type { GenerateOptions, Generation, Prompt } from '../index.js'
import { addConstraintOptions, type ConstraintFlags, readConstraint } from './constraint-options.js'
import type { Context } from './context.js'
import { CommandError, InterruptedError, UsageError } from './errors.js'
import { count, formatDuration, significant } from './format.js'
import {
  adapterStrength,
  addGenerationOptions,
  type GenerationFlags,
  generateOptions,
  randomSeed,
} from './generation-options.js'
import { chosenGpus } from './gpu-option.js'
import { inOrder } from './in-order.js'
import { interruptible } from './interrupt.js'
import type { CliModel } from './library.js'
import {
  addModelOptions,
  batchOptions,
  MODEL_HELP,
  type ModelFlags,
  misplacedModel,
  openModel,
} from './model-options.js'
import { wholeNumber } from './numbers.js'
import { openPrefix } from './open-prefix.js'
import { BUNDLED_MODEL } from './package-files.js'
import { Progress, RECORDS } from './progress.js'
import { encodingOption, readPipe, readText, type TextFlags } from './read-text.js'
import { openOutput, type RecordSink, STANDARD_STREAM } from './record-files.js'
import { formatRecord, type Generated, type InputRecord, parseRecords } from './records.js'
import { rangeOf, type Shard, shardOption } from './shards.js'

interface GenerateFlags extends ModelFlags, GenerationFlags, ConstraintFlags, TextFlags {
  readonly input: string
  readonly output: string
  readonly batch: number
  readonly resume?: true
  readonly raw?: true
  readonly adapter?: string
  readonly shard?: Shard
}

const EXAMPLES = `
A record is a JSON object on a line of its own, with "messages" (a conversation), or "prompt",
"query", "instruction" or "content" (a text). "system", "tools" and "history" beside it count, too.
It comes out with "generated" and "finishReason" added, in the same order. One that cannot be
answered has the reason in "error", and --resume asks it again.

Examples:
  $ chatglm generate models/chatglm3-6b-int4 --input questions.jsonl --output answers.jsonl
  $ chatglm generate models/chatglm3-6b-int4 --prefix adgen/checkpoint-1000 --raw --batch 8 \\
      --input AdvertiseGen/dev.json --output ads.jsonl --resume
  $ chatglm generate models/chatglm3-6b-int4 --gpu 0,1 --batch 32 --input questions.jsonl --output answers.jsonl
  $ chatglm generate tiny --schema person.json --input texts.jsonl --output people.jsonl
`

export function generateCommand(context: Context): Command {
  const command = new Command('generate')
    .description('answer every record of a JSON lines file')
    .argument('<model>', `${MODEL_HELP}, or ${BUNDLED_MODEL}`)
    .requiredOption('--input <file>', 'JSON lines to read; - for stdin')
    .requiredOption('--output <file>', 'JSON lines to write; - for stdout')
    .addOption(encodingOption())
    .option('--batch <count>', 'records to answer side by side', wholeNumber(1, 64), 1)
    .addOption(shardOption())
    .option('--resume', 'continue behind the last complete line of the output')
    .option('--raw', 'continue texts as they are, as prefixes of prompt and response pairs expect')
    .option('--prefix, --adapter <path>', 'a P-Tuning v2 prefix, or a LoRA adapter')
    .option(
      '--prefix-strength, --adapter-strength <number>',
      'from 0, as without it, to 1, as trained (default: 1)',
      adapterStrength,
    )
  addModelOptions(command)
  command.addOption(misplacedModel('generate'))
  addGenerationOptions(command)
  addConstraintOptions(command)
  return command
    .addHelpText('after', EXAMPLES)
    .action((model: string, flags: GenerateFlags) => generate(context, model, flags))
}

async function generate(context: Context, model: string, flags: GenerateFlags): Promise<void> {
  const { input, output, resume = false, raw = false } = flags
  const { terminal, loadLibrary } = context
  if (output === STANDARD_STREAM && resume) {
    throw new UsageError('--resume needs a file to continue: give --output a path.')
  }
  if (output !== STANDARD_STREAM && resolve(input) === resolve(output)) {
    throw new UsageError('--input and --output are the same file.')
  }
  const name = input === STANDARD_STREAM ? 'stdin' : input
  const library = await loadLibrary()
  const text =
    input === STANDARD_STREAM
      ? await readPipe(loadLibrary, terminal.io, flags)
      : await readText(library, input, flags)
  const all = parseRecords(library, text, name, raw)
  const [begin, end] = rangeOf(all.length, flags.shard ?? { index: 0, count: 1 })
  const records = all.slice(begin, end)
  const sink = await openOutput(library, output, records, resume, terminal.io)
  try {
    if (sink.before === records.length && sink.failed.length === 0) {
      terminal.note(`${output} is complete: ${count(records.length, 'record')}.`)
      return
    }
    await interruptible(terminal, (signal) =>
      answerRecords(context, model, flags, { name, records, begin, sink }, signal),
    )
  } finally {
    await sink.close()
  }
}

interface Work {
  /** What to call the input in an error. */
  readonly name: string
  readonly records: readonly InputRecord[]
  /** The place of the first of them in the input: a record has the same seed in whatever part it is. */
  readonly begin: number
  readonly sink: RecordSink
}

/** Answers the records that are not answered yet: those that failed before, then those behind the last line. */
async function answerRecords(
  { terminal, loadLibrary }: Context,
  modelName: string,
  flags: GenerateFlags,
  { name, records, begin, sink }: Work,
  signal: AbortSignal,
): Promise<void> {
  // Side by side, activations are floats; alone they would not be, and then an answer would depend on where an
  // interrupted run ended.
  const floats = flags.batch > 1 ? ({ activations: 'float' } as const) : {}
  const batch = { ...batchOptions(flags.batch, flags), ...floats }
  const library = await loadLibrary()
  const constraint = await readConstraint(library, flags)
  const model = await openModel(library, terminal, modelName, flags, signal, batch)
  const progress = await Progress.create(terminal, RECORDS, 'Answering')
  signal.addEventListener('abort', () => progress.stop())
  const started = performance.now()
  const retried = new Map<number, string>()
  const failures = new Map<number, string>()
  let tokens = 0
  let written = sink.before
  try {
    const { adapter } = flags
    const options: GenerateOptions = {
      ...generateOptions(flags),
      ...(constraint && { constraint }),
      signal,
      adapterStrength: flags.adapterStrength,
      adapter: adapter === undefined ? undefined : await openPrefix(model, modelName, adapter, signal),
    }
    const answering = new RecordAnswering(model, options, flags.seed ?? randomSeed(), flags.raw === true)
    const lineOf = (index: number, answer: Answer) => {
      if (typeof answer === 'string') failures.set(index, answer)
      else tokens += answer.ids.length
      return formatRecord(library, records[index], generated(answer, flags.raw === true))
    }
    for (const index of sink.failed) {
      progress.update('Answering', written, records.length)
      const [answer] = await answering.answer([records[index]], begin + index)
      retried.set(index, lineOf(index, answer))
    }
    if (retried.size > 0) await sink.replace(retried)
    progress.update('Answering', written, records.length)
    const groups: (() => Promise<readonly Answer[]>)[] = []
    for (let first = written; first < records.length; first += flags.batch) {
      const group = records.slice(first, first + flags.batch)
      groups.push(() => answering.answer(group, begin + first))
    }
    for await (const answers of inOrder(groups, groupsAtOnce(flags, terminal))) {
      await sink.write(answers.map((answer, index) => lineOf(written + index, answer)))
      written += answers.length
      progress.update('Answering', written, records.length)
    }
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    const answered = count(records.length - sink.before + retried.size - failures.size, 'record')
    const speed = `${count(tokens, 'token')} at ${significant(tokens / seconds)} tok/s`
    terminal.note(`${answered} in ${formatDuration(seconds)}, ${speed}`)
  } catch (error) {
    if (!signal.aborted) throw error
    const advice = flags.output === STANDARD_STREAM ? '' : ' The same command with --resume continues there.'
    throw new InterruptedError(`${written} of ${count(records.length, 'record')} are written.${advice}`)
  } finally {
    progress.stop()
    model.dispose()
  }
  if (failures.size > 0) throw unanswered(name, records, failures, flags.output)
}

/** Groups under way: on several GPUs two for each, so that none waits for the end of another's group. */
function groupsAtOnce({ gpu, batch }: GenerateFlags, { io }: Context['terminal']): number {
  const gpus = chosenGpus(gpu, io, true)?.length ?? 1
  return gpus === 1 || batch === 1 ? gpus : 2 * gpus
}

/** What a record became: an answer, or why there is none. */
type Answer = Generation | string

/** Errors that are about a record, and not about the model, the device or the options. */
const OF_A_RECORD: readonly ErrorCode[] = [
  'input.context-overflow',
  'input.token-invalid',
  'input.tokens-empty',
  'input.not-serializable',
  'checkpoint.not-finite',
]

/** Answers records in groups. A record has the same seed in whatever group it comes. */
class RecordAnswering {
  readonly #model: CliModel
  readonly #options: GenerateOptions
  readonly #seed: number
  readonly #raw: boolean

  constructor(model: CliModel, options: GenerateOptions, seed: number, raw: boolean) {
    this.#model = model
    this.#options = options
    this.#seed = seed
    this.#raw = raw
  }

  /** @param first the index of the first record among all */
  async answer(group: readonly InputRecord[], first: number): Promise<readonly Answer[]> {
    const options = { ...this.#options, seed: (this.#seed + first) % 2 ** 32 }
    const prompts = group.map((record) => promptOf(record, this.#raw))
    try {
      return await this.#model.generateBatch(prompts, options).result()
    } catch (error) {
      if (!hasCode(error, ...OF_A_RECORD)) throw error
      if (group.length === 1) return [error.message]
    }
    // One of them is the cause. Alone, the others are answered as they would have been beside it.
    const answers: Answer[] = []
    for (const [index, record] of group.entries())
      answers.push(...(await this.answer([record], first + index)))
    return answers
  }
}

/** The prompt of a record: a raw text, or a conversation. */
function promptOf({ prompt }: InputRecord, raw: boolean): Prompt {
  return typeof prompt === 'string' && !raw ? [{ role: 'user', content: prompt }] : prompt
}

function generated(answer: Answer, raw: boolean): Generated {
  if (typeof answer === 'string') return { generated: null, finishReason: 'error', error: answer }
  return { generated: raw ? answer.text : answer.text.trim(), finishReason: answer.finishReason }
}

const SHOWN_FAILURES = 10

function unanswered(
  name: string,
  records: readonly InputRecord[],
  failures: ReadonlyMap<number, string>,
  output: string,
): CommandError {
  const shown = [...failures].slice(0, SHOWN_FAILURES)
  const lines = shown.map(([index, why]) => `${name}, line ${records[index].line}: ${why}`)
  const more = failures.size > shown.length ? [`and ${failures.size - shown.length} more`] : []
  const advice = output === STANDARD_STREAM ? [] : ['The same command with --resume asks them again.']
  const summary = `${failures.size} of ${count(records.length, 'record')} have no answer; "error" says why:`
  return new CommandError([summary, ...lines, ...more, ...advice].join('\n'))
}
