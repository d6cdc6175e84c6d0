import { resolve } from 'node:path'
import { Command } from 'commander'
import { hasCode } from '../errors/index.js'
import type { GenerateOptions, Prompt } from '../index.js'
import type { Context } from './context.js'
import { CommandError, InterruptedError, UsageError } from './errors.js'
import { count, formatDuration, significant } from './format.js'
import {
  addGenerationOptions,
  type GenerationFlags,
  generateOptions,
  prefixStrength,
  randomSeed,
} from './generation-options.js'
import { interruptible } from './interrupt.js'
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
import { openOutput, type RecordSink, readInput, STANDARD_STREAM } from './record-files.js'
import { formatRecord, type InputRecord, parseRecords } from './records.js'

interface GenerateFlags extends ModelFlags, GenerationFlags {
  readonly input: string
  readonly output: string
  readonly batch: number
  readonly resume?: true
  readonly raw?: true
  readonly prefix?: string
}

const EXAMPLES = `
A record is a JSON object on a line of its own, with "messages" (a conversation), "prompt" or
"content" (a text). It comes out with "generated" and "finishReason" added, in the same order.

Examples:
  $ chatglm generate models/chatglm3-6b-int4 --input questions.jsonl --output answers.jsonl
  $ chatglm generate models/chatglm3-6b-int4 --prefix adgen/checkpoint-1000 --raw --batch 8 \\
      --input AdvertiseGen/dev.json --output ads.jsonl --resume
`

export function generateCommand(context: Context): Command {
  const command = new Command('generate')
    .description('answer every record of a JSON lines file')
    .argument('<model>', `${MODEL_HELP}, or ${BUNDLED_MODEL}`)
    .requiredOption('--input <file>', 'JSON lines to read; - for stdin')
    .requiredOption('--output <file>', 'JSON lines to write; - for stdout')
    .option('--batch <count>', 'records to answer side by side', wholeNumber(1, 64), 1)
    .option('--resume', 'continue behind the last complete line of the output')
    .option('--raw', 'continue texts as they are, as prefixes of prompt and response pairs expect')
    .option('--prefix <path>', 'a P-Tuning v2 prefix')
    .option('--prefix-strength <number>', 'from 0, no prefix, to 1, as trained (default: 1)', prefixStrength)
  addModelOptions(command)
  command.addOption(misplacedModel('generate'))
  addGenerationOptions(command)
  return command
    .addHelpText('after', EXAMPLES)
    .action((model: string, flags: GenerateFlags) => generate(context, model, flags))
}

async function generate(context: Context, model: string, flags: GenerateFlags): Promise<void> {
  const { input, output, resume = false, raw = false } = flags
  const { terminal } = context
  if (output === STANDARD_STREAM && resume) {
    throw new UsageError('--resume needs a file to continue: give --output a path.')
  }
  if (output !== STANDARD_STREAM && resolve(input) === resolve(output)) {
    throw new UsageError('--input and --output are the same file.')
  }
  const name = input === STANDARD_STREAM ? 'stdin' : input
  const records = parseRecords(await readInput(input, terminal.io), name, raw)
  const sink = await openOutput(output, records, resume, terminal.io)
  try {
    if (sink.before === records.length) {
      terminal.note(`${output} is complete: ${count(records.length, 'record')}.`)
      return
    }
    await interruptible(terminal, (signal) =>
      answerRecords(context, model, flags, { name, records, sink }, signal),
    )
  } finally {
    await sink.close()
  }
}

interface Work {
  /** What to call the input in an error. */
  readonly name: string
  readonly records: readonly InputRecord[]
  readonly sink: RecordSink
}

/** Answers the records that are not answered yet. */
async function answerRecords(
  { terminal, loadLibrary }: Context,
  modelName: string,
  flags: GenerateFlags,
  { name, records, sink }: Work,
  signal: AbortSignal,
): Promise<void> {
  // Side by side, activations are floats; alone they would not be, and then an answer would depend on where an
  // interrupted run ended.
  const floats = flags.batch > 1 ? ({ activations: 'float' } as const) : {}
  const batch = { ...batchOptions(flags.batch, flags), ...floats }
  const model = await openModel(await loadLibrary(), terminal, modelName, flags, signal, batch)
  const progress = await Progress.create(terminal, RECORDS, 'Answering')
  signal.addEventListener('abort', () => progress.stop())
  const started = performance.now()
  let tokens = 0
  let written = sink.before
  try {
    const { prefix } = flags
    const options: GenerateOptions = {
      ...generateOptions(flags),
      signal,
      prefixStrength: flags.prefixStrength,
      prefix: prefix === undefined ? undefined : await openPrefix(model, modelName, prefix, signal),
    }
    const seed = flags.seed ?? randomSeed()
    while (written < records.length) {
      progress.update('Answering', written, records.length)
      const group = records.slice(written, written + flags.batch)
      const prompts = group.map((record) => promptOf(record, flags.raw === true))
      // A record has the same seed in whatever group it comes, so that a resumed run gives the same answers.
      const groupOptions = { ...options, seed: (seed + written) % 2 ** 32 }
      const answers = await model
        .generateBatch(prompts, groupOptions)
        .result()
        .catch((error: unknown) => {
          throw atLine(error, name, group)
        })
      const lines = answers.map(({ text, finishReason }, index) =>
        formatRecord(group[index], { generated: flags.raw ? text : text.trim(), finishReason }),
      )
      await sink.write(lines)
      written += group.length
      tokens += answers.reduce((sum, { ids }) => sum + ids.length, 0)
    }
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    const answered = count(records.length - sink.before, 'record')
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
}

/** The prompt of a record: a raw text, or a conversation. */
function promptOf({ prompt }: InputRecord, raw: boolean): Prompt {
  return typeof prompt === 'string' && !raw ? [{ role: 'user', content: prompt }] : prompt
}

/** Says which lines an error is about, if it stands for a record rather than for the model or the device. */
function atLine(error: unknown, name: string, group: readonly InputRecord[]): unknown {
  if (!hasCode(error, 'input.context-overflow', 'checkpoint.not-finite')) return error
  const [first, last] = [group[0].line, group[group.length - 1].line]
  const lines = first === last ? `line ${first}` : `one of the lines ${first} to ${last}`
  return new CommandError(`${name}, ${lines}: ${error.message}`)
}
