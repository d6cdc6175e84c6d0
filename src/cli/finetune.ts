import { Command } from 'commander'
import { hasCode } from '../errors/index.js'
import type { RunOptions, TrainingDataset, TrainingOutcome } from '../finetune.js'
import type { Context } from './context.js'
import { CommandError, InterruptedError, UsageError } from './errors.js'
import {
  addSettingsOptions,
  type ResolvedSettings,
  resolveSettings,
  type SettingsFlags,
} from './finetune-options.js'
import {
  describeDataset,
  describeSteps,
  formatLoss,
  showPreview,
  TrainingView,
  warn,
} from './finetune-view.js'
import { chosenGpus, gpuOption } from './gpu-option.js'
import { interruptible } from './interrupt.js'
import type { CliModel, Library } from './library.js'
import { drawLossCurve } from './loss-curve.js'
import { type DeviceName, deviceOption, MODEL_HELP, openModel } from './model-options.js'
import { oneOf } from './numbers.js'
import { BUNDLED_MODEL } from './package-files.js'
import { BYTES, Progress } from './progress.js'
import { checkOutputFolder, encodingOption, type TextFlags } from './read-text.js'
import { shellQuote } from './shell-quote.js'
import type { Terminal } from './terminal.js'

interface FinetuneFlags extends SettingsFlags, TextFlags {
  readonly model: string
  readonly data: string
  readonly evalData?: string
  readonly output: string
  readonly resume?: true
  readonly torchBin?: true
  readonly bits?: 4 | 8
  readonly groupSize?: 32 | 64
  readonly device: DeviceName
  readonly gpu?: readonly number[]
  readonly continueOnLoss?: true
}

type Outcome = Omit<TrainingOutcome, 'files'>
/** What comes out, by what is trained. */
const RESULTS = { prefix: 'prefix', lora: 'adapter', model: 'model' } as const

/** Positions of the model beside the prefix: training has buffers of its own. */
const CONTEXT_LENGTH = 256

const EXAMPLES = `
Data are JSON, JSON lines or CSV: pairs {prompt, response}, or {conversations} of messages. The
command data converts AdvertiseGen and ToolAlpaca.

Examples:
  $ chatglm data advertise-gen AdvertiseGen/train.json train.jsonl
  $ chatglm finetune --model models/chatglm3-6b-int4 --data train.jsonl --output output/ads
  $ chatglm finetune --model models/chatglm3-6b-int4 --data train.jsonl --output output/ads --resume
  $ chatglm chat models/chatglm3-6b-int4 --raw --prefix output/ads
  $ chatglm finetune --method lora --model models/chatglm3-6b-int4 --data train.jsonl --output output/lora
  $ chatglm finetune --preset sft --model models/small-float16 --data train.jsonl --output output/small
`

export function finetuneCommand(context: Context): Command {
  const command = new Command('finetune')
    .description('train a P-Tuning v2 prefix, a LoRA adapter, or all weights of a model that fits')
    .requiredOption('--model <path>', `the model: ${MODEL_HELP}, or ${BUNDLED_MODEL}`)
    .requiredOption('--data <file>', 'what to learn from')
    .requiredOption('--output <folder>', 'where checkpoints go, and what comes out')
    .addOption(encodingOption())
    .option('--eval-data <file>', 'held-out data: the loss on them is logged on the way')
    .option('--resume', 'go on with the training in the output folder')
    .option('--torch-bin', 'write pytorch_model.bin, too, for the official scripts')
  addSettingsOptions(command)
  return command
    .optionsGroup('Model:')
    .option('--bits <bits>', 'quantize a float checkpoint while it loads, to 4 or 8 bits', oneOf(4, 8))
    .option('--group-size <weights>', 'weights that share a scale when quantizing: 32 or 64', oneOf(32, 64))
    .addOption(deviceOption())
    .addOption(gpuOption('the GPU for all of it, or several with commas, which share every step'))
    .option('--continue-on-loss', 'where one of several GPUs is lost, go on with the others')
    .addHelpText('after', EXAMPLES)
    .action((flags: FinetuneFlags) =>
      interruptible(context.terminal, (signal) => finetune(context, flags, signal)),
    )
}

async function finetune(
  { terminal, loadLibrary }: Context,
  flags: FinetuneFlags,
  signal: AbortSignal,
): Promise<void> {
  const library = await loadLibrary()
  const given = await resolveSettings(library, flags)
  const { subject, data, unused } = given
  refuseOtherFlags(subject, flags)
  if (subject !== 'prefix') refuseSeveralGpus(chosenGpus(flags.gpu, terminal.io, true))
  if (unused.length > 0) terminal.note(`Not used of ${flags.config}: ${unused.join(', ')}.`)
  for (const file of [flags.data, flags.evalData]) {
    if (file !== undefined) await library.checkDataset(file, data, { signal, encoding: flags.encoding })
  }
  await checkOutputFolder(flags.output)
  const context = given.subject === 'prefix' ? Math.max(CONTEXT_LENGTH, given.training.prefixLength) : 2
  const model = await openModel(library, terminal, flags.model, { ...flags, context }, signal, {
    spreads: given.subject === 'prefix',
  })
  try {
    const read = (file: string) => readData(library, terminal, model, file, data, { signal, ...flags })
    const dataset = await read(flags.data)
    const evaluation = flags.evalData === undefined ? undefined : await read(flags.evalData)
    const settings = withDataset(library, given, dataset)
    showPreview(library.previewSample(model.tokenizer, dataset.sample(0)), terminal)
    const { output } = flags
    const view = new TrainingView(terminal, model.memory.total)
    const started = performance.now()
    const result = await watch(view, flags, signal, () =>
      train(library, model, dataset, settings, flags, { evaluation, signal, onProgress: view.show }),
    )
    const seconds = (performance.now() - started) / 1000
    report(terminal, output, result, view.steps && describeSteps(view.steps, seconds))
    const curve = await drawLossCurve(output).catch(({ message }: Error) => {
      terminal.say(message)
      return undefined
    })
    if (curve) terminal.say(`Loss curve: ${curve}`)
    const raw = data.format === 'input-output' ? ' --raw' : ''
    terminal.say(`The ${RESULTS[subject]} is in ${output}. Try it:`)
    const [name, folder] = [library.showUrl(flags.model), output].map(shellQuote)
    const adapter = subject === 'lora' ? 'adapter' : 'prefix'
    terminal.say(
      `  chatglm chat ${subject === 'model' ? `${folder}${raw}` : `${name}${raw} --${adapter} ${folder}`}`,
    )
  } finally {
    model.dispose()
  }
}

/** The settings with the steps that follow from the data. */
function withDataset(
  library: Library,
  settings: ResolvedSettings,
  { length }: TrainingDataset,
): ResolvedSettings {
  const { relative } = settings
  switch (settings.subject) {
    case 'prefix':
      return { ...settings, training: library.withData(settings.training, relative, length) }
    case 'lora':
      return { ...settings, training: library.withData(settings.training, relative, length) }
    case 'model':
      return { ...settings, training: library.withData(settings.training, relative, length) }
  }
}

/** @throws UsageError for more than one: only prefixes are trained on several */
function refuseSeveralGpus(gpus: readonly number[] = []): void {
  if (gpus.length <= 1) return
  throw new UsageError('Only prefixes are trained on several GPUs: --gpu takes one number here.')
}

/** @throws UsageError for options that what is trained does not have */
function refuseOtherFlags(subject: ResolvedSettings['subject'], flags: FinetuneFlags): void {
  const refuse = (given: Readonly<Record<string, unknown>>, why: string) => {
    for (const [flag, value] of Object.entries(given))
      if (value !== undefined) throw new UsageError(`${flag} ${why}`)
  }
  const { prefixLength, prefixProjection, torchBin, bits, groupSize } = flags
  const ofPrefix = {
    '--prefix-length': prefixLength,
    '--prefix-projection': prefixProjection,
    '--torch-bin': torchBin,
  }
  const { rank, alpha, rslora, loraDropout, targetModules } = flags
  const ofLora = {
    '--rank': rank,
    '--alpha': alpha,
    '--rslora': rslora,
    '--lora-dropout': loraDropout,
    '--target-modules': targetModules,
  }
  if (subject !== 'lora') refuse(ofLora, 'is for LoRA: add --method lora.')
  if (subject === 'lora') refuse(ofPrefix, 'is for prefixes; --method lora trains an adapter.')
  if (subject === 'model') {
    refuse(
      { ...ofPrefix, '--bits': bits, '--group-size': groupSize },
      'is for prefixes; the preset sft trains all weights, in float.',
    )
  }
}

function train(
  library: Library,
  model: CliModel,
  dataset: TrainingDataset,
  settings: ResolvedSettings,
  { output, resume, torchBin, continueOnLoss }: FinetuneFlags,
  run: Pick<RunOptions, 'evaluation' | 'signal' | 'onProgress'>,
): Promise<Outcome> {
  switch (settings.subject) {
    case 'prefix':
      return library.finetunePrefix(model, dataset, {
        ...settings.training,
        ...run,
        output,
        resume,
        torchBin,
        ...(continueOnLoss && { continueOnLoss }),
      })
    case 'lora':
      return library.finetuneLora(model, dataset, { ...settings.training, ...run, output, resume })
    case 'model':
      return library.finetuneModel(model, dataset, { ...settings.training, ...run, output, resume })
  }
}

async function readData(
  library: Library,
  terminal: Terminal,
  { tokenizer }: CliModel,
  file: string,
  settings: Parameters<Library['readDataset']>[2],
  { signal, encoding }: { signal: AbortSignal } & TextFlags,
): Promise<TrainingDataset> {
  const progress = await Progress.create(terminal, BYTES, `Reading ${file}`)
  try {
    const dataset = await library.readDataset(file, tokenizer, settings, {
      signal,
      encoding,
      onProgress: ({ doneBytes, totalBytes }) => progress.update(`Reading ${file}`, doneBytes, totalBytes),
    })
    progress.stop()
    describeDataset(dataset, terminal)
    return dataset
  } finally {
    progress.stop()
  }
}

/** Runs a training; however it ends, its curve is drawn, and after Ctrl-C the user hears how to go on. */
async function watch(
  view: TrainingView,
  { output, resume }: FinetuneFlags,
  signal: AbortSignal,
  train: () => Promise<Outcome>,
): Promise<Outcome> {
  await view.begin()
  signal.addEventListener('abort', () => view.end())
  try {
    return await train()
  } catch (error) {
    // The curve is worth less than what ended the training.
    await drawLossCurve(output).catch(() => {})
    // Without --resume nothing but a training that is there already can be in the way of another.
    if (hasCode(error, 'training.resume-mismatch') && !resume) {
      throw new CommandError(`${error.message}\n--resume goes on with it.`)
    }
    if (!signal.aborted || hasCode(error, 'training.stopped')) throw error
    throw new InterruptedError(
      view.checkpoint
        ? `${view.checkpoint} is saved. The same command with --resume goes on there.`
        : 'No step was finished, so nothing new is saved.',
    )
  } finally {
    view.end()
  }
}

function report(
  terminal: Terminal,
  output: string,
  { stopReason, best, steps }: Outcome,
  summary: string | undefined,
): void {
  const { colors } = terminal
  if (summary) terminal.say(`${colors.green('Done')}: ${summary}`)
  else terminal.say(`The training in ${output} is complete: all ${steps} steps are taken.`)
  if (stopReason === 'early-stopping') {
    warn(terminal, 'Ended early: the loss on held-out data went down no more.')
  }
  if (best) terminal.say(`Best loss on held-out data: ${formatLoss(best.loss)}, after step ${best.step}`)
}
