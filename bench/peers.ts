/**
 * ONNX Runtime's WebGPU provider on the same shapes, the same card and in the same run as this library: random 4-bit
 * weights in an ONNX graph of ChatGLM3's, keys and values on the GPU, and the most likely id read back for each token.
 *
 *   npm install --no-save --ignore-scripts onnxruntime-node
 *   node build/bench-peers.js --json results/peers.json
 *   node build/bench-peers.js --quick
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, program } from 'commander'
import { describeEnvironment, environmentLines } from './common/environment.js'
import { writeJson } from './common/files.js'
import { type Gpu, type ModelConfig, openGpu } from './common/internals.js'
import { type CommonOptions, commonOptions, count, counts } from './common/options.js'
import { rate } from './common/statistics.js'
import { digits, table } from './common/table.js'
import { Conversation } from './model/conversation.js'
import {
  type DecodeResult,
  type MeasureOptions,
  measureDecode,
  measurePrefill,
  type PrefillResult,
  repeat,
  warmUp,
} from './model/measure.js'
import { openModel } from './model/open-model.js'
import { CHATGLM3_6B, TINY } from './model/shapes.js'
import { writeGraph } from './peers/onnx-files.js'
import { type GraphNumbers, onnxGraph } from './peers/onnx-graph.js'
import { importRuntime, OnnxModel } from './peers/onnx-model.js'
import type { PeerReport, System } from './peers/report.js'

interface Options extends CommonOptions {
  readonly prompts?: readonly number[]
  readonly contexts?: readonly number[]
  readonly groupSize: number
  readonly repetitions?: number
  readonly tokens?: number
  readonly temporary: string
}

interface Plan extends MeasureOptions {
  readonly shape: string
  readonly config: ModelConfig
  readonly prompts: readonly number[]
  readonly contexts: readonly number[]
  readonly groupSize: number
}

function planOf(options: Options): Plan {
  const { quick, prompts, contexts, groupSize, repetitions, tokens } = options
  return {
    shape: quick ? 'tiny' : 'chatglm3-6b',
    config: quick ? TINY : CHATGLM3_6B,
    prompts: prompts ?? (quick ? [16] : [128, 512, 2048]),
    contexts: contexts ?? (quick ? [16] : [128, 2048]),
    groupSize: quick ? 32 : groupSize,
    repetitions: repetitions ?? (quick ? 2 : 5),
    tokens: tokens ?? (quick ? 4 : 64),
    warmUpSeconds: quick ? 0 : 0.5,
    budgetSeconds: 10,
  }
}

async function measureOurs(gpu: Gpu, plan: Plan): Promise<System> {
  const { shape, groupSize } = plan
  const { engine } = await openModel(gpu, { shape, bits: 4, groupSize, activations: 'int8', seed: 1 })
  const conversation = new Conversation(engine, 1)
  const prefill: PrefillResult[] = []
  const decode: DecodeResult[] = []
  for (const tokens of plan.prompts) prefill.push(await measurePrefill(conversation, tokens, plan))
  for (const context of plan.contexts) decode.push(await measureDecode(conversation, context, plan))
  return { name: 'chatglm-webgpu', prefill, decode }
}

async function measureOnnx(folder: string, plan: Plan, numbers: GraphNumbers): Promise<System> {
  const path = await writeGraph(onnxGraph(plan.config, numbers), numbers, folder)
  const model = await OnnxModel.create(path, plan.config, numbers)
  const prefill: PrefillResult[] = []
  const decode: DecodeResult[] = []
  const { tokens } = plan
  for (const prompt of plan.prompts) {
    await warmUp(plan, () => model.prefill(prompt))
    prefill.push({ tokens: prompt, seconds: await repeat(plan, () => model.prefill(prompt)) })
  }
  for (const context of plan.contexts) {
    await model.prefill(context)
    await warmUp(plan, () => model.decode(context, tokens))
    const seconds = await repeat(plan, () => model.decode(context, tokens))
    decode.push({ context, start: context, prefix: 0, tokens, seconds })
  }
  await model.dispose()
  const { versions } = (await importRuntime()).env
  return { name: `ONNX Runtime ${versions.node ?? versions.common}, WebGPU`, prefill, decode }
}

function print(systems: readonly System[]): void {
  const [first] = systems
  const cells = (values: readonly { median: number }[]) => values.map(({ median }) => digits(median))
  const rows = [
    ...first.prefill.map(({ tokens }, i) => [
      `prefill of ${tokens}`,
      ...cells(systems.map(({ prefill }) => rate(tokens, prefill[i].seconds))),
    ]),
    ...first.decode.map(({ context }, i) => [
      `decode at ${context}`,
      ...cells(systems.map(({ decode }) => rate(1, decode[i].seconds))),
    ]),
  ]
  console.log(`\n${table(['tokens a second', ...systems.map(({ name }) => name)], rows)}`)
}

async function run(options: Options): Promise<void> {
  const plan = planOf(options)
  const gpu = await openGpu(options.device, { without: options.without })
  const environment = describeEnvironment(gpu, options.commit)
  console.log(environmentLines(environment).join('\n'))
  const numbers: GraphNumbers = { activations: gpu.f16 ? 'float16' : 'float32', groupSize: plan.groupSize }
  const ours = await measureOurs(gpu, plan)
  gpu.dispose()
  const folder = await mkdtemp(join(options.temporary, 'onnx-'))
  try {
    const systems = [ours, await measureOnnx(folder, plan, numbers)]
    print(systems)
    const report: PeerReport = { kind: 'peers', version: 1, environment, systems }
    if (options.json) await writeJson(options.json, report)
    if (options.svg) {
      const { drawReports } = await import('./charts/draw.js')
      for (const file of await drawReports([report], options.svg)) console.log(`drew ${file}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

program
  .name('bench-peers')
  .option('--prompts <lengths>', 'prompts to compute, with commas', counts)
  .option('--contexts <lengths>', 'tokens to decode behind, with commas', counts)
  .option('--group-size <count>', 'of quantized weights', count, 32)
  .option('--tokens <count>', 'tokens of a timed run of decoding', count)
  .option('--repetitions <count>', 'timed runs of each figure', count)
  .option('--temporary <folder>', 'room for 0.7 GB of weights', tmpdir())
for (const option of commonOptions) program.addOption(option)
await program.action((_options: Options, command: Command) => run(command.opts<Options>())).parseAsync()
