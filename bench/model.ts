/**
 * A whole model by the wall clock: prompts of several lengths, decoding behind several contexts and with a prefix, the
 * time to the first token, loading, and GPU memory. Random weights in a model's shape, or a real model's folder.
 *
 *   node build/bench.js --shape chatglm3-6b --json results/model.json --svg results
 *   node build/bench.js --model /data/int4 --profile --trace results/trace.json
 *   node build/bench.js --quick
 */
import { type Command, InvalidArgumentError, Option, program } from 'commander'
import { measureCeilings } from './ceilings/ceilings.js'
import { describeEnvironment, environmentLines } from './common/environment.js'
import { writeAtomically, writeJson } from './common/files.js'
import { type Gpu, openGpu, type ProductRole } from './common/internals.js'
import { type CommonOptions, commonOptions, count, counts, words } from './common/options.js'
import { PassTimer, QUICK, THOROUGH } from './common/pass-timer.js'
import { ceilingLines } from './kernels/report.js'
import { Conversation } from './model/conversation.js'
import {
  type DecodeResult,
  type FirstTokenResult,
  type MeasureOptions,
  measureDecode,
  measureFirstToken,
  measurePrefill,
  type PrefillResult,
} from './model/measure.js'
import { openModel } from './model/open-model.js'
import { profile, type TimedRun, timesByLabel } from './model/profile.js'
import { randomLora } from './model/random-lora.js'
import { randomPrefix } from './model/random-weights.js'
import {
  decodeTable,
  firstTokenLines,
  type ModelReport,
  modelLines,
  prefillTable,
  profileTables,
} from './model/report.js'
import { chromeTrace } from './model/trace.js'

const PARTS = ['prefill', 'decode', 'prefix', 'lora', 'first-token'] as const

interface Options extends CommonOptions {
  readonly model?: string
  readonly shape?: string
  readonly bits: '4' | '8' | '16'
  readonly groupSize: number
  readonly activations: 'int8' | 'float'
  readonly contextLength?: number
  readonly parts: readonly string[]
  readonly prompts?: readonly number[]
  readonly contexts?: readonly number[]
  readonly prefixLength?: number
  readonly loraRank: number
  readonly loraModules: readonly string[]
  readonly tokens?: number
  readonly repetitions?: number
  readonly budget: number
  readonly seed: number
  readonly profile: boolean
  readonly profileContexts?: readonly number[]
  readonly profilePrompts?: readonly number[]
  readonly trace?: string
}

/** What is measured, after defaults. */
interface Plan extends MeasureOptions {
  readonly prompts: readonly number[]
  readonly contexts: readonly number[]
  readonly firstTokenPrompts: readonly number[]
  readonly prefixContext: number
  readonly prefixLength: number
  readonly lora: { readonly rank: number; readonly roles: readonly ProductRole[] } | undefined
  readonly profileContexts: readonly number[]
  readonly profilePrompts: readonly number[]
}

const THOROUGH_PLAN: Plan = {
  prompts: [128, 512, 1024, 2048, 4096, 8192],
  contexts: [128, 1024, 4096, 8191],
  firstTokenPrompts: [512],
  prefixContext: 128,
  prefixLength: 128,
  lora: undefined,
  profileContexts: [128, 4096],
  profilePrompts: [512],
  repetitions: 7,
  tokens: 128,
  warmUpSeconds: 0.3,
  budgetSeconds: 12,
}

const QUICK_PLAN: Plan = {
  prompts: [16, 40],
  contexts: [16, 100],
  firstTokenPrompts: [16],
  prefixContext: 16,
  prefixLength: 8,
  lora: undefined,
  profileContexts: [16],
  profilePrompts: [16],
  repetitions: 2,
  tokens: 8,
  warmUpSeconds: 0,
  budgetSeconds: 5,
}

function planOf(options: Options, contextLength: number): Plan {
  const plan = options.quick ? QUICK_PLAN : THOROUGH_PLAN
  const wanted = (parts: readonly number[], part: string) => (options.parts.includes(part) ? parts : [])
  const fitting = (lengths: readonly number[]) => lengths.filter((length) => length <= contextLength)
  return {
    ...plan,
    prompts: wanted(fitting(options.prompts ?? plan.prompts), 'prefill'),
    // From the longest to the shortest, so that the cache holds each one's tokens already.
    contexts: wanted(fitting(options.contexts ?? plan.contexts), 'decode').toSorted((a, b) => b - a),
    firstTokenPrompts: wanted(fitting(plan.firstTokenPrompts), 'first-token'),
    prefixLength: options.parts.includes('prefix') ? (options.prefixLength ?? plan.prefixLength) : 0,
    lora: options.parts.includes('lora')
      ? { rank: options.loraRank, roles: options.loraModules as ProductRole[] }
      : undefined,
    profileContexts: fitting(options.profileContexts ?? plan.profileContexts),
    profilePrompts: fitting(options.profilePrompts ?? plan.profilePrompts),
    repetitions: options.repetitions ?? plan.repetitions,
    tokens: options.tokens ?? plan.tokens,
    budgetSeconds: options.budget,
  }
}

/** Seconds from the command line. */
function seconds(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

function say(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** How often decoding without and with LoRA is timed. */
const LORA_TURNS = 3

/** Everything in the order that leaves the most in the cache. */
async function measure(gpu: Gpu, conversation: Conversation, plan: Plan, seed: number) {
  const prefill: PrefillResult[] = []
  const decode: DecodeResult[] = []
  const firstToken: FirstTokenResult[] = []
  for (const tokens of plan.firstTokenPrompts) {
    say(`first token of ${tokens}`)
    firstToken.push(await measureFirstToken(conversation, tokens, plan))
  }
  for (const tokens of plan.prompts) {
    say(`prefill of ${tokens}`)
    prefill.push(await measurePrefill(conversation, tokens, plan))
  }
  for (const context of plan.contexts) {
    say(`decode at ${context}`)
    decode.push(await measureDecode(conversation, context, plan))
  }
  if (plan.prefixLength > 0) {
    say(`decode with a prefix of ${plan.prefixLength}`)
    const prefix = await randomPrefix(gpu, conversation.engine.config, plan.prefixLength, seed)
    decode.push(await measureDecode(conversation, plan.prefixContext, plan, prefix))
    conversation.engine.release(prefix)
    gpu.free(prefix.rows)
  }
  if (plan.lora) {
    // By turns, so that a change of the card's clock is no cost of the adapter.
    for (let turn = 0; turn < LORA_TURNS; turn++) {
      say('decode without and with LoRA')
      decode.push(await measureDecode(conversation, plan.prefixContext, plan))
      const lora = await conversation.engine.lora.add(randomLora(conversation.engine.config, plan.lora, seed))
      decode.push(await measureDecode(conversation, plan.prefixContext, plan, lora))
      conversation.engine.release(lora)
      await conversation.engine.lora.remove(lora)
    }
  }
  say('')
  return {
    prefill,
    decode: decode.toSorted((a, b) => a.prefix - b.prefix || a.context - b.context),
    firstToken,
  }
}

async function run(options: Options): Promise<void> {
  const gpu = await openGpu(options.device, { without: options.without })
  const environment = describeEnvironment(gpu, options.commit)
  const timer = new PassTimer(gpu, options.quick ? QUICK : THOROUGH)
  const ceilings = await measureCeilings(gpu, timer)
  timer.dispose()
  console.log([...environmentLines(environment), ...ceilingLines(ceilings)].join('\n'))

  const { seed, groupSize, activations } = options
  const { engine, facts } = await openModel(gpu, {
    ...(options.model && { folder: options.model }),
    shape: options.shape ?? (options.quick ? 'tiny' : 'chatglm3-6b'),
    bits: Number(options.bits),
    groupSize: options.quick ? 32 : groupSize,
    ...(options.contextLength && { contextLength: options.contextLength }),
    activations,
    seed,
  })
  const memory = { ...gpu.memory, total: gpu.total }
  const conversation = new Conversation(engine, seed)
  const plan = planOf(options, facts.contextLength)
  const measured = await measure(gpu, conversation, plan, seed)
  const runs: TimedRun[] =
    options.profile || options.trace
      ? await profile(conversation, plan.profileContexts, plan.profilePrompts)
      : []

  const report: ModelReport = {
    kind: 'model',
    version: 1,
    environment,
    ceilings,
    model: facts,
    seed,
    ...measured,
    memory,
    profile: timesByLabel(runs),
  }
  console.log(modelLines(report).join('\n'))
  if (report.prefill.length > 0) console.log(`\n${prefillTable(report)}`)
  if (report.decode.length > 0) console.log(`\n${decodeTable(report)}`)
  if (report.firstToken.length > 0) console.log(`\n${firstTokenLines(report).join('\n')}`)
  for (const text of profileTables(report.profile)) console.log(`\n${text}`)

  if (options.json) await writeJson(options.json, report)
  if (options.trace) {
    await writeAtomically(options.trace, JSON.stringify(chromeTrace(runs, environment.adapter)))
    console.log(`trace in ${options.trace}: open it at ui.perfetto.dev`)
  }
  if (options.svg) {
    const { drawReports } = await import('./charts/draw.js')
    for (const file of await drawReports([report], options.svg)) console.log(`drew ${file}`)
  }
  gpu.dispose()
}

program
  .name('bench')
  .option('--model <folder>', 'a model with its weights')
  .option('--shape <name>', 'random weights in the shape of chatglm3-6b or tiny')
  .addOption(new Option('--bits <bits>', 'of the weights').choices(['4', '8', '16']).default('4'))
  .option('--group-size <count>', 'of quantized weights', count, 64)
  .addOption(
    new Option('--activations <type>', 'in decoding with 4-bit weights')
      .choices(['int8', 'float'])
      .default('int8'),
  )
  .option('--context-length <tokens>', "default: the model's own", count)
  .option('--parts <names>', `of ${PARTS.join(', ')}`, words, [...PARTS])
  .option('--prompts <lengths>', 'prompts to compute, with commas', counts)
  .option('--contexts <lengths>', 'tokens to decode behind, with commas', counts)
  .option('--prefix-length <rows>', 'of the random prefix', count)
  .option('--lora-rank <rank>', 'of the random LoRA adapter', count, 8)
  .option('--lora-modules <roles>', 'of qkv, dense, gateUp, down', words, ['qkv'])
  .option('--tokens <count>', 'tokens of a timed run of decoding', count)
  .option('--repetitions <count>', 'timed runs of each figure', count)
  .option(
    '--budget <seconds>',
    'no further repetitions of a figure after that',
    seconds,
    THOROUGH_PLAN.budgetSeconds,
  )
  .option('--seed <number>', 'of all random data', count, 1)
  .option('--profile', 'show the time of each kernel', false)
  .option('--profile-contexts <lengths>', 'decode steps to profile', counts)
  .option('--profile-prompts <lengths>', 'prompts whose last chunk to profile', counts)
  .option('--trace <file>', 'write the profile as a Chrome trace')
for (const option of commonOptions) program.addOption(option)
await program.action((_options: Options, command: Command) => run(command.opts<Options>())).parseAsync()
