import { basename } from 'node:path'
import { Command } from 'commander'
import type { Evaluation, EvaluationData } from '../finetune.js'
import type { AdapterHandle } from '../index.js'
import type { Context } from './context.js'
import { describeDataset, formatLoss } from './finetune-view.js'
import { significant } from './format.js'
import { interruptible } from './interrupt.js'
import type { CliModel, Library } from './library.js'
import { addModelOptions, batchOptions, MODEL_HELP, type ModelFlags, openModel } from './model-options.js'
import { wholeNumber } from './numbers.js'
import { openPrefix } from './open-prefix.js'
import { BUNDLED_MODEL } from './package-files.js'
import { Progress, type Unit } from './progress.js'
import { encodingOption, type TextFlags } from './read-text.js'
import type { Terminal } from './terminal.js'
import { columns } from './wrap.js'

interface EvaluateFlags extends ModelFlags, TextFlags {
  readonly model: string
  readonly data: string
  readonly adapter?: string
  readonly samples?: number
  readonly answers: boolean
  readonly batch: number
  readonly maxSourceLength?: number
  readonly maxTargetLength?: number
}

const EXAMPLES = `
BLEU-4 and ROUGE compare what the model answers, likeliest token by likeliest token, with the data, over
the words that jieba finds, as compute_metrics of the official finetune_hf.py does.

Examples:
  $ chatglm evaluate --model models/chatglm3-6b-int4 --data dev.jsonl --prefix output/ads --samples 50
  $ chatglm evaluate --model models/chatglm3-6b-int4 --data dev.jsonl --no-answers
`

export function evaluateCommand(context: Context): Command {
  const command = new Command('evaluate')
    .description('loss, perplexity, BLEU-4 and ROUGE on data, without and with a prefix')
    .requiredOption('--model <path>', `the model: ${MODEL_HELP}, or ${BUNDLED_MODEL}`)
    .requiredOption('--data <file>', 'JSON, JSON lines or CSV, as for finetune')
    .addOption(encodingOption())
    .option(
      '--prefix, --adapter <path>',
      'a P-Tuning v2 prefix or a LoRA adapter, to compare with the model alone',
    )
    .option('--samples <count>', 'only so many records from the beginning', wholeNumber(1))
    .option('--no-answers', 'loss and perplexity alone, which is faster')
    .option('--batch <count>', 'questions to answer side by side', wholeNumber(1, 64), 1)
    .option(
      '--max-source-length <tokens>',
      'tokens of a prompt (default: 1024, in conversations 256)',
      wholeNumber(1),
    )
    .option(
      '--max-target-length <tokens>',
      'tokens of an answer (default: 128, in conversations 512)',
      wholeNumber(1),
    )
  return addModelOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((flags: EvaluateFlags) =>
      interruptible(context.terminal, (signal) => evaluate(context, flags, signal)),
    )
}

async function evaluate(
  { terminal, loadLibrary }: Context,
  flags: EvaluateFlags,
  signal: AbortSignal,
): Promise<void> {
  const library = await loadLibrary()
  const model = await openModel(
    library,
    terminal,
    flags.model,
    flags,
    signal,
    batchOptions(flags.batch, flags),
  )
  try {
    const { maxSourceLength, maxTargetLength, samples: maxRecords } = flags
    const limits = { maxSourceLength, maxTargetLength, maxRecords }
    const data = await library.readEvaluationData(flags.data, model.tokenizer, limits, {
      signal,
      encoding: flags.encoding,
    })
    describeDataset(data.dataset, terminal)
    const results: { name: string; result: Evaluation }[] = []
    const run = async (name: string, prefix?: AdapterHandle) => {
      const result = await evaluateOne(library, terminal, model, data, { flags, name, prefix, signal })
      results.push({ name, result })
    }
    // Loaded first, so that a wrong path is found before an hour of work.
    const prefix =
      flags.adapter === undefined ? undefined : await openPrefix(model, flags.model, flags.adapter, signal)
    await run('base')
    if (prefix) await run(basename(flags.adapter ?? ''), prefix)
    for (const line of table(results)) terminal.print(line)
    const empty = results.map(({ result }) => result.answers.filter(({ answer }) => answer === '').length)
    if (empty.some((count) => count > 0)) {
      terminal.note(`Empty answers, which score 0: ${empty.join(' and ')} of ${data.questions.length}.`)
    }
  } finally {
    model.dispose()
  }
}

async function evaluateOne(
  library: Library,
  terminal: Terminal,
  model: CliModel,
  data: EvaluationData,
  {
    flags,
    name,
    prefix,
    signal,
  }: { flags: EvaluateFlags; name: string; prefix?: AdapterHandle; signal: AbortSignal },
): Promise<Evaluation> {
  const unit: Unit = {
    ratio: (done, total) => `${done} of ${total}`,
    rate: (perSecond) => `${significant(perSecond)} per second`,
  }
  const progress = await Progress.create(terminal, unit, `Loss, ${name}`)
  signal.addEventListener('abort', () => progress.stop())
  try {
    return await library.evaluate(model, data, {
      prefix,
      signal,
      answers: flags.answers,
      batchSize: flags.batch,
      onProgress: ({ stage, done, total }) =>
        progress.update(stage === 'loss' ? `Loss, ${name}` : `Answers, ${name}`, done, total),
    })
  } finally {
    progress.stop()
  }
}

/** One column for each model, numbers to the right. */
function table(results: readonly { name: string; result: Evaluation }[]): string[] {
  const rows: [string, (result: Evaluation) => string | undefined][] = [
    ['loss', ({ loss }) => formatLoss(loss)],
    ['perplexity', ({ perplexity }) => significant(perplexity)],
    ['BLEU-4', ({ scores }) => scores?.bleu4.toFixed(4)],
    ['ROUGE-1', ({ scores }) => scores?.rouge1.toFixed(2)],
    ['ROUGE-2', ({ scores }) => scores?.rouge2.toFixed(2)],
    ['ROUGE-L', ({ scores }) => scores?.rougeL.toFixed(2)],
  ]
  const cells = rows
    .map(([title, value]) => [title, ...results.map(({ result }) => value(result))])
    .filter((row): row is string[] => row.every((cell) => cell !== undefined))
  const all = [['', ...results.map(({ name }) => name)], ...cells]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => columns(row[column]))))
  return all.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(widths[column] - columns(cell))
        return column === 0 ? cell + space : space + cell
      })
      .join('  '),
  )
}
