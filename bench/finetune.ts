/**
 * The training of a P-Tuning v2 prefix, or of LoRA, by the wall clock: updates over sequences of several lengths, each with its
 * forward and backward passes, and the GPU memory that they take. Random weights in a model's shape, or a real model's
 * folder; no engine for inference, whose cache and activations would come on top.
 *
 *   node build/bench-finetune.js --shape chatglm3-6b --json results/finetune.json
 *   node build/bench-finetune.js --tokens 2048 --profile
 *   node build/bench-finetune.js --tokens 2048 --lora-rank 8 --profile
 *   node build/bench-finetune.js --quick
 */
import { type Command, Option, program } from 'commander'
import { describeEnvironment, environmentLines } from './common/environment.js'
import { writeJson } from './common/files.js'
import { GpuClock } from './common/gpu-clock.js'
import { LAYER_PRODUCTS, modelBase, openGpu, type ProductRole } from './common/internals.js'
import { type CommonOptions, commonOptions, count, counts, words } from './common/options.js'
import { measureStep, type StepChoice, type StepResult } from './finetune/measure.js'
import { type FinetuneReport, memoryTable, stepTable } from './finetune/report.js'
import type { MeasureOptions } from './model/measure.js'
import { modelName, nameOf, openWeights } from './model/open-model.js'
import { CLOCK_CAPACITY, type TimedRun, timeDispatches, timesByLabel } from './model/profile.js'
import { profileTables } from './model/report.js'

interface Options extends CommonOptions {
  readonly model?: string
  readonly shape?: string
  readonly bits: '4' | '8' | '16'
  readonly groupSize: number
  readonly tokens?: readonly number[]
  readonly accumulation: number
  readonly prefixLength?: number
  readonly projection: boolean
  readonly loraRank?: number
  readonly loraModules: readonly string[]
  readonly dropout: number
  readonly repetitions?: number
  readonly budget: number
  readonly seed: number
  readonly profile: boolean
}

const THOROUGH: MeasureOptions & { lengths: readonly number[]; prefixLength: number } = {
  lengths: [512, 2048, 8192],
  prefixLength: 128,
  repetitions: 3,
  tokens: 0,
  warmUpSeconds: 0.3,
  budgetSeconds: 30,
}
const QUICK: typeof THOROUGH = {
  ...THOROUGH,
  lengths: [24, 70],
  prefixLength: 8,
  repetitions: 1,
  warmUpSeconds: 0,
}

/** An update over more tokens tells nothing that one over these does not. */
const TOKENS_OF_AN_UPDATE = 32_768
const PROFILE_RUNS = 3

/** Sequences of a timed update: fewer where they are long, to save time. */
function sequencesOf(tokens: number, { accumulation, quick }: Options): number {
  if (quick) return 2
  return Math.max(1, Math.min(accumulation, Math.floor(TOKENS_OF_AN_UPDATE / tokens)))
}

async function run(options: Options): Promise<void> {
  const gpu = await openGpu(options.device, { without: options.without })
  const environment = describeEnvironment(gpu, options.commit)
  console.log(environmentLines(environment).join('\n'))
  const plan = options.quick ? QUICK : THOROUGH
  const measure = {
    ...plan,
    repetitions: options.repetitions ?? plan.repetitions,
    budgetSeconds: options.budget,
  }
  const lengths = options.tokens ?? plan.lengths
  const choice = {
    ...(options.model && { folder: options.model }),
    shape: options.shape ?? (options.quick ? 'tiny' : 'chatglm3-6b'),
    bits: Number(options.bits),
    groupSize: options.quick ? 32 : options.groupSize,
    // The training has a table of positions of its own.
    contextLength: 2,
    activations: 'float' as const,
    seed: options.seed,
  }
  const { config, weights } = await openWeights(gpu, choice)
  const base = modelBase(gpu, config, weights)

  const clock = options.profile && GpuClock.available(gpu) ? new GpuClock(gpu, CLOCK_CAPACITY) : undefined
  if (options.profile && !clock) throw new Error('A profile needs timestamp-query, which this adapter lacks.')
  const steps: StepResult[] = []
  const runs: TimedRun[] = []
  for (const tokens of lengths) {
    const step: StepChoice = {
      tokens,
      sequences: sequencesOf(tokens, options),
      prefixLength: options.prefixLength ?? plan.prefixLength,
      projection: options.projection,
      dropout: options.dropout,
      ...(options.loraRank && {
        lora: { rank: options.loraRank, roles: options.loraModules as ProductRole[] },
      }),
      seed: options.seed,
    }
    const result = await measureStep(base, step, measure, async (training) => {
      for (let index = 0; clock && index < PROFILE_RUNS; index++) {
        const all = training.dispatches({ rows: tokens, targets: tokens - 1, distinct: 0 })
        const dispatches = await timeDispatches(base, clock, all, tokens)
        runs.push({ phase: 'training', context: tokens, rows: tokens, dispatches })
      }
    })
    steps.push(result)
    if (result.sequences < options.accumulation && !options.quick) {
      console.log(`${tokens} tokens: an update of ${result.sequences} sequences to save time`)
    }
  }
  clock?.dispose()

  const report: FinetuneReport = {
    kind: 'finetune',
    version: 1,
    environment,
    model: { name: modelName(choice), weights: nameOf(weights.output), config },
    seed: options.seed,
    steps,
    profile: timesByLabel(runs),
  }
  console.log(`${report.model.name}: weights ${report.model.weights}\n\n${stepTable(report)}`)
  for (const step of steps) console.log(`\n${memoryTable(step)}`)
  for (const text of profileTables(report.profile)) console.log(`\n${text}`)
  if (options.json) await writeJson(options.json, report)
  gpu.dispose()
}

program
  .name('bench-finetune')
  .option('--model <folder>', 'a model with its weights')
  .option('--shape <name>', 'random weights in the shape of chatglm3-6b or tiny')
  .addOption(new Option('--bits <bits>', 'of the weights').choices(['4', '8', '16']).default('4'))
  .option('--group-size <count>', 'of quantized weights', count, 64)
  .option('--tokens <lengths>', 'of the sequences, with commas', counts)
  .option(
    '--accumulation <count>',
    `sequences of an update; fewer where they have more than ${TOKENS_OF_AN_UPDATE} tokens together`,
    count,
    16,
  )
  .option('--prefix-length <rows>', 'of the prefix', count)
  .option('--projection', 'train a prefix with projection', false)
  .option('--lora-rank <rank>', 'train LoRA of this rank instead of a prefix', count)
  .option('--lora-modules <roles>', `of ${LAYER_PRODUCTS.map(({ weight }) => weight).join(', ')}`, words, [
    'qkv',
  ])
  .option('--dropout <share>', 'of the prefix, or of what goes into the factors', Number, 0.1)
  .option('--repetitions <count>', 'timed updates of each length', count)
  .option(
    '--budget <seconds>',
    'no further repetitions of a length after that',
    count,
    THOROUGH.budgetSeconds,
  )
  .option('--seed <number>', 'of all random data', count, 1)
  .option('--profile', 'show the time of each kernel', false)
for (const option of commonOptions) if (option.long !== '--svg') program.addOption(option)
await program.action((_options: Options, command: Command) => run(command.opts<Options>())).parseAsync()
