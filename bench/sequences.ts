/**
 * Several sequences at once, by the wall clock: tokens a second over so many answers, free and in JSON by a schema, what the host spends on a step, the
 * cache that answers behind one prefix take, and how long a prompt that arrives holds answers up. Random weights in a
 * model's shape, or a real model's folder.
 *
 *   node build/bench-sequences.js --shape chatglm3-6b --json results/sequences.json
 *   node build/bench-sequences.js --quick
 */
import { program } from 'commander'
import { describeEnvironment, environmentLines } from './common/environment.js'
import { writeJson } from './common/files.js'
import { type Constraint, openGpu } from './common/internals.js'
import { type CommonOptions, commonOptions, count, counts } from './common/options.js'
import { openModel } from './model/open-model.js'
import { profileStep, timesByLabel } from './model/profile.js'
import { profileTables } from './model/report.js'
import { jsonConstraints } from './sequences/constraints.js'
import {
  type ArrivalResult,
  Crowd,
  measureArrival,
  measurePrefix,
  measureTogether,
  type PrefixResult,
  type TogetherResult,
} from './sequences/measure.js'

interface Plan {
  readonly together: readonly number[]
  readonly prompt: number
  readonly tokens: number
  readonly arrival: number
  readonly repetitions: number
  readonly contextLength: number
  readonly prefixLength: number
  readonly prefixPrompt: number
  readonly chunkTokens?: number
}

interface Options extends CommonOptions, Omit<Plan, 'contextLength' | 'prefixLength' | 'prefixPrompt'> {
  readonly model?: string
  readonly shape?: string
  readonly profile: boolean
}

const QUICK: Plan = {
  together: [1, 2],
  prompt: 8,
  tokens: 6,
  arrival: 70,
  repetitions: 1,
  contextLength: 256,
  prefixLength: 64,
  prefixPrompt: 20,
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]

function togetherLine({ sequences, tokensPerSecond, schedulingMsPerStep }: TogetherResult): string {
  return `${sequences} together: ${tokensPerSecond.toFixed(0)} tokens/s in all, ${schedulingMsPerStep.toFixed(3)} ms of scheduling a step`
}

function prefixLine({ sequences, prefixLength, promptTokens, usedBytes, apartBytes }: PrefixResult): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return (
    `${sequences} of ${promptTokens} tokens behind one prefix of ${prefixLength}: ${megabytes(usedBytes)} of the cache; ` +
    `a prefix each would make ${megabytes(apartBytes)}`
  )
}

function arrivalLine(result: ArrivalResult): string {
  const { answers, promptTokens, chunkTokens, chunkMs, quietGapMs, gapMs, firstTokenMs } = result
  return (
    `a prompt of ${promptTokens} beside ${answers} answers: longest gap ${gapMs.toFixed(1)} ms, ` +
    `${(gapMs / chunkMs).toFixed(2)} times a chunk of ${chunkTokens} (${chunkMs.toFixed(1)} ms); ` +
    `before it ${quietGapMs.toFixed(1)} ms; its first token after ${firstTokenMs.toFixed(0)} ms`
  )
}

function constrainedLine(result: TogetherResult, free: TogetherResult, cold: TogetherResult): string {
  const share = (one: TogetherResult) =>
    `${((100 * one.tokensPerSecond) / free.tokensPerSecond).toFixed(0)} %`
  return (
    `${result.sequences} in JSON by a schema: ${result.tokensPerSecond.toFixed(0)} tokens/s in all, ${share(result)} of free ones; ` +
    `${share(cold)} in the first answers`
  )
}

/** The median of several runs. */
async function repeated(
  crowd: Crowd,
  sequences: number,
  { prompt, tokens, repetitions }: Plan,
  begin?: () => Constraint,
): Promise<TogetherResult> {
  const runs: TogetherResult[] = []
  for (let run = 0; run < repetitions; run++) {
    runs.push(await measureTogether(crowd, sequences, prompt, tokens, begin))
  }
  return {
    sequences,
    tokensPerSecond: median(runs.map((run) => run.tokensPerSecond)),
    schedulingMsPerStep: median(runs.map((run) => run.schedulingMsPerStep)),
  }
}

async function main(options: Options): Promise<void> {
  const { quick, device, without, commit } = options
  const plan: Plan = quick ? QUICK : { ...options, contextLength: 8192, prefixLength: 128, prefixPrompt: 512 }
  const gpu = await openGpu(device, { without })
  const most = Math.max(...plan.together)
  const rows = plan.prefixLength + plan.prefixPrompt + 128
  const model = await openModel(gpu, {
    ...(options.model && { folder: options.model }),
    shape: options.shape ?? (quick ? 'tiny' : 'chatglm3-6b'),
    bits: 4,
    groupSize: quick ? 32 : 64,
    contextLength: plan.contextLength,
    activations: 'int8',
    seed: 7,
    sizes: {
      maxSequences: most,
      cacheTokens: most * rows + plan.contextLength,
      chunkTokens: plan.chunkTokens,
    },
  })
  const environment = describeEnvironment(gpu, commit)
  console.log(environmentLines(environment).join('\n'))
  const crowd = new Crowd(model.engine)
  const together: TogetherResult[] = []
  for (const sequences of plan.together) {
    // The first run compiles, and warms the clocks up.
    await measureTogether(crowd, sequences, plan.prompt, plan.tokens)
    together.push(await repeated(crowd, sequences, plan))
    console.log(togetherLine(together[together.length - 1]))
    if (options.profile) {
      const times = timesByLabel(await profileStep(model.engine, sequences, plan.prompt))
      console.log(profileTables(times).join('\n'))
    }
  }
  const begin = jsonConstraints(model.engine.config.vocabulary)
  const constrained: TogetherResult[] = []
  for (const free of [...new Set([together[0], together[together.length - 1]])]) {
    // The first run finds what may come where; what it found is kept.
    const cold = await measureTogether(crowd, free.sequences, plan.prompt, plan.tokens, begin)
    constrained.push(await repeated(crowd, free.sequences, plan, begin))
    console.log(constrainedLine(constrained[constrained.length - 1], free, cold))
  }
  const prefix = await measurePrefix(crowd, most, plan.prefixLength, plan.prefixPrompt)
  console.log(prefixLine(prefix))
  const arrival = await measureArrival(crowd, Math.min(8, most), plan.arrival, 4 * plan.tokens)
  console.log(arrivalLine(arrival))
  if (options.json) await writeJson(options.json, { environment, together, constrained, prefix, arrival })
  gpu.dispose()
}

for (const option of commonOptions) program.addOption(option)
program
  .option('--model <folder>', 'a real model instead of random weights')
  .option('--shape <name>', 'shape of the random weights')
  .option('--together <counts>', 'sequences at once, with commas', counts, [1, 2, 4, 8, 16, 32, 64])
  .option('--prompt <tokens>', 'of each sequence', count, 128)
  .option('--tokens <count>', 'ids that each generates', count, 96)
  .option('--arrival <tokens>', 'of the prompt that arrives beside 8 answers', count, 4096)
  .option('--chunk-tokens <count>', 'the most tokens of prompts in a step', count)
  .option('--profile', 'time each kernel of a step of so many sequences', false)
  .option('--repetitions <count>', 'of each measurement', count, 3)
await main(program.parse().opts<Options>())
