import { Command, Option } from 'commander'
import type { GpuPlan, StageMemory, TrainingMethod } from '../gpus.js'
import type { Context } from './context.js'
import { formatBytes, significant } from './format.js'
import { chosenGpus, gpuOption } from './gpu-option.js'
import { interruptible } from './interrupt.js'
import { batchOptions, MODEL_HELP } from './model-options.js'
import { oneOf, wholeNumber } from './numbers.js'
import { BUNDLED_MODEL, modelSource } from './package-files.js'
import type { Terminal } from './terminal.js'

interface PlanFlags {
  readonly gpu?: readonly number[]
  readonly bits?: 4 | 8
  readonly context?: number
  readonly batch: number
  readonly train?: TrainingMethod
  readonly tokens?: number
  readonly prefixLength?: number
  readonly rank?: number
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ chatglm plan models/chatglm3-6b-int4
  $ chatglm plan models/chatglm3-6b-int4 --gpu 0,1 --batch 32 --context 4096
  $ chatglm plan models/chatglm3-6b --bits 4 --train prefix --tokens 2048
`

export function planCommand(context: Context): Command {
  return new Command('plan')
    .description('what a model needs on which GPU, before it is loaded')
    .argument('<model>', `${MODEL_HELP}, or ${BUNDLED_MODEL}`)
    .addOption(gpuOption())
    .option('--bits <bits>', 'as if a float checkpoint were quantized, to 4 or 8 bits', oneOf(4, 8))
    .option('--context <tokens>', 'room for prompt and answer together', wholeNumber(2))
    .option('--batch <count>', 'answers side by side', wholeNumber(1, 64), 1)
    .addOption(
      new Option('--train <method>', 'what training takes besides').choices(['prefix', 'lora', 'sft']),
    )
    .option('--tokens <count>', 'tokens of the longest sample (default: 2048)', wholeNumber(2))
    .option('--prefix-length <rows>', 'rows of a prefix (default: 128)', wholeNumber(1))
    .option('--rank <number>', 'of LoRA on query_key_value (default: 8)', wholeNumber(1))
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((model: string, flags: PlanFlags) =>
      interruptible(context.terminal, (signal) => plan(context, model, flags, signal)),
    )
}

async function plan(
  { terminal, loadLibrary }: Context,
  model: string,
  flags: PlanFlags,
  signal: AbortSignal,
): Promise<void> {
  const { bits, context, batch, train, tokens, prefixLength, rank, json } = flags
  const library = await loadLibrary()
  const gpus = chosenGpus(flags.gpu, terminal.io, true)
  const { spreads: _, ...sizes } = batchOptions(batch, { context })
  const result = await library.planGpus(modelSource(model), {
    signal,
    ...(gpus && { gpus }),
    ...(bits && { quantization: { bits } }),
    ...(context && { contextLength: context }),
    ...sizes,
    ...(train && { training: { method: train, tokens, prefixLength, rank } }),
  })
  if (json) terminal.print(JSON.stringify(result, null, 2))
  else show(terminal, result, train)
}

const NAME_WIDTH = 52

function show(terminal: Terminal, plan: GpuPlan, train: TrainingMethod | undefined): void {
  const { outputColors: colors } = terminal
  const line = (name: string, value: string) =>
    terminal.print(`  ${name.padEnd(NAME_WIDTH)}${value.padStart(9)}`)
  terminal.print(`${colors.bold(plan.name)}: ${(plan.weights / 1e9).toFixed(3)} billion weights`)
  terminal.print('\nOn each GPU')
  for (const { purpose, bytes } of plan.answering) line(purpose, formatBytes(bytes))
  for (const { purpose, bytes } of plan.training ?? []) line(`training: ${purpose}`, formatBytes(bytes))
  line('in all, about', formatBytes(plan.total))
  terminal.print()
  if (plan.cards.length === 0) terminal.print('The system lists no GPUs, so it is not known what fits.')
  for (const { card, fits, left, speed } of plan.cards) {
    const room =
      left === undefined
        ? 'how much is free is not known'
        : fits
          ? `fits, ${formatBytes(left)} are left`
          : colors.red(`does not fit: ${formatBytes(-left)} are missing`)
    terminal.print(`GPU ${card.index} (${card.name}): ${room}`)
    if (!speed) continue
    const { ceiling, decode, prefill, training } = speed
    terminal.print(
      `  by what was measured on ${speed.card}: ${significant(decode)} tokens/s of one answer (${significant(ceiling)} if reading ` +
        `weights were all), ${significant(prefill)} of prompts, ${significant(training)} of training a prefix`,
    )
  }
  const { gpus, all, method } = plan.arithmetic
  const cards = gpus === 1 ? '1 GPU' : `${gpus} GPUs`
  terminal.print(
    `\nThe textbook's sum for ${cards}: 16-bit weights and gradients, AdamW in 32 bits, no activations`,
  )
  stages(terminal, 'all weights', all)
  if (method && train !== 'sft') stages(terminal, train === 'lora' ? 'LoRA' : 'a prefix', method)
}

/** The stages as lines of a table. */
function stages(terminal: Terminal, what: string, all: readonly StageMemory[]): void {
  const cells = (texts: readonly string[]) =>
    `  ${texts.map((text, at) => (at === 0 ? text.padEnd(26) : text.padStart(11))).join('')}`
  terminal.print(terminal.outputColors.dim(cells([what, 'weights', 'gradients', 'optimizer', 'each GPU'])))
  for (const { stage, weights, gradients, optimizer, total } of all) {
    const name = stage === 0 ? 'everything on each' : `ZeRO stage ${stage}`
    terminal.print(cells([name, ...[weights, gradients, optimizer, total].map(formatBytes)]))
  }
}
