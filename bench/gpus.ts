/**
 * Several GPUs by the wall clock: which card each process is on, tokens a second of the same model on one and on several, and
 * training on one and on several. It writes a model of random 4-bit weights first.
 *
 *   node build/bench-gpus.js --gpus 0,1 --folder /data/random-int4
 *   node build/bench-gpus.js --quick --device software
 *
 * Every part is tried whatever became of the others, and says what it meets.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Option, program } from 'commander'
import { listGpus } from '../src/gpus.js'
import { type LoadModelOptions, loadModel, type Model } from '../src/index.js'
import { writeJson } from './common/files.js'
import { CHATGLM3_6B_CONFIG as CHATGLM3_6B, type ChatGLMShape } from './common/internals.js'
import { type CommonOptions, commonOptions, count } from './common/options.js'
import { type GenerateWork, type TrainWork, tokensPerSecond, trainedPerSecond } from './gpus/measure.js'
import { writeRandomCheckpoint } from './gpus/random-checkpoint.js'

interface Options extends CommonOptions {
  readonly gpus: readonly number[]
  readonly folder: string
  readonly repetitions: number
  readonly skipTraining: boolean
}

interface Plan {
  readonly shape: ChatGLMShape
  readonly groupSize: 32 | 64
  readonly contextLength: number
  readonly generate: readonly GenerateWork[]
  readonly train: TrainWork
}

const THOROUGH: Plan = {
  shape: CHATGLM3_6B,
  groupSize: 64,
  contextLength: 1024,
  generate: [
    { batch: 1, answers: 4, prompt: 128, tokens: 256 },
    { batch: 16, answers: 64, prompt: 128, tokens: 128 },
    { batch: 64, answers: 192, prompt: 128, tokens: 128 },
  ],
  train: { tokens: 1024, accumulationSteps: 16, steps: 4, prefixLength: 128 },
}

const QUICK: Plan = {
  shape: {
    num_layers: 2,
    hidden_size: 128,
    ffn_hidden_size: 192,
    num_attention_heads: 4,
    kv_channels: 32,
    multi_query_group_num: 2,
    padded_vocab_size: 512,
    seq_length: 256,
  },
  groupSize: 32,
  contextLength: 128,
  generate: [{ batch: 2, answers: 4, prompt: 8, tokens: 6 }],
  train: { tokens: 16, accumulationSteps: 2, steps: 2, prefixLength: 8 },
}

const results: Record<string, unknown> = {}

/** Runs a part, and goes on whatever becomes of it. */
async function part<T>(name: string, work: () => T | Promise<T>): Promise<T | undefined> {
  console.log(`\n== ${name}`)
  const started = performance.now()
  try {
    return await work()
  } catch (error) {
    console.log(`FAILED: ${(error as Error).stack ?? error}`)
    results[`failed: ${name}`] = String(error)
    return undefined
  } finally {
    console.log(`(${((performance.now() - started) / 1000).toFixed(1)} s)`)
  }
}

/** What a program prints, or why it prints nothing. */
function output(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string }
    return `${program}: ${(stderr || message).trim()}`
  }
}

/** The device files of GPUs that a process has open, each once. */
function openDevices(pid: number | undefined): string {
  try {
    const folder = `/proc/${pid ?? 'self'}/fd`
    const links = readdirSync(folder).map((fd) => {
      try {
        return readlinkSync(join(folder, fd))
      } catch {
        return ''
      }
    })
    return [...new Set(links.filter((link) => /^\/dev\/(nvidia|dri)/.test(link)))].sort().join(' ') || 'none'
  } catch (error) {
    return String(error)
  }
}

/** The processes of a model's cards; none where it is in this one. */
function processesOf(model: Model): readonly { label: string; pid: number | undefined }[] {
  const { replicas } = model as { replicas?: readonly { label: string; model: { pid?: number } }[] }
  return (
    replicas?.map(({ label, model }) => ({ label, pid: model.pid })) ?? [
      { label: 'this process', pid: undefined },
    ]
  )
}

async function measure(label: string, gpu: readonly number[] | undefined, plan: Plan, options: Options) {
  const { folder, device, repetitions, skipTraining } = options
  for (const work of plan.generate) {
    await part(`${label}: generate, ${work.batch} side by side`, async () => {
      const { batch } = work
      const load: LoadModelOptions = {
        device,
        contextLength: plan.contextLength,
        maxSequences: batch,
        cacheTokens: batch * plan.contextLength,
        activations: batch > 1 ? 'float' : 'int8',
        onProgress: ({ warning }) => warning && console.log(`warning: ${warning}`),
      }
      const started = performance.now()
      const model = await (gpu ? loadModel(folder, { ...load, gpu }) : loadModel(folder, load))
      console.log(
        `loaded in ${((performance.now() - started) / 1000).toFixed(1)} s on ${model.adapter.description || model.adapter.device}`,
      )
      try {
        for (const { label, pid } of processesOf(model)) {
          console.log(`${label}: pid ${pid ?? process.pid}, open: ${openDevices(pid)}`)
        }
        console.log(
          output('nvidia-smi', '--query-compute-apps=pid,gpu_bus_id,used_memory', '--format=csv,noheader'),
        )
        const cards = gpu?.length ?? 1
        const speeds: number[] = []
        for (let round = 0; round <= repetitions; round++) {
          const { perSecond, seconds, generated } = await tokensPerSecond(model, cards, work, 17 * round)
          console.log(
            `${round === 0 ? 'warm-up' : `run ${round}`}: ${generated} tokens in ${seconds.toFixed(2)} s, ${perSecond.toFixed(1)} tokens/s`,
          )
          if (round > 0) speeds.push(perSecond)
        }
        results[`${label}, generate, ${batch}`] = Math.max(...speeds)
      } finally {
        model.dispose()
      }
    })
  }
  if (skipTraining) return
  await part(`${label}: training`, async () => {
    const load: LoadModelOptions = {
      device,
      contextLength: Math.min(256, plan.contextLength),
      maxSequences: 1,
    }
    const model = await (gpu ? loadModel(folder, { ...load, gpu }) : loadModel(folder, load))
    try {
      const { perSecond, seconds, losses } = await trainedPerSecond(model, plan.train)
      console.log(
        `steps of ${seconds.map((one) => one.toFixed(2)).join(', ')} s; losses ${losses.map((one) => one.toFixed(5)).join(', ')}`,
      )
      console.log(`${perSecond.toFixed(0)} trained tokens/s`)
      results[`${label}, training`] = perSecond
      results[`${label}, losses`] = losses
    } finally {
      model.dispose()
    }
  })
}

async function run(options: Options): Promise<void> {
  const { gpus, folder, device, quick, json } = options
  const plan = quick ? QUICK : THOROUGH
  await part('the machine', async () => {
    console.log(`node ${process.version}, ${process.platform}, uid ${process.getuid?.()}`)
    console.log(
      output(
        'sh',
        '-c',
        'ls -l /dev/nvidia* /dev/dri 2>&1; unshare -m true && echo "unshare -m works"; nvidia-smi -L',
      ),
    )
    console.log(JSON.stringify(await listGpus(), null, 1))
  })
  await part('a model of random weights', () => writeRandomCheckpoint(folder, plan.shape, plan.groupSize, 1))
  await measure('no choice', undefined, plan, options)
  // The last one: it shows that a card other than the first can be chosen.
  const last = gpus[gpus.length - 1]
  await measure(`GPU ${last}`, [last], plan, options)
  if (gpus.length > 1) await measure(`GPUs ${gpus.join(',')}`, gpus, plan, options)
  console.log('\n== results')
  console.log(JSON.stringify(results, null, 1))
  const names = [...plan.generate.map(({ batch }) => `generate, ${batch}`), 'training']
  for (const name of names) {
    const [none, one, all] = [
      `no choice, ${name}`,
      `GPU ${last}, ${name}`,
      `GPUs ${gpus.join(',')}, ${name}`,
    ].map((key) => Number(results[key]))
    console.log(
      `${name}: ${gpus.length} GPUs ${(all / one).toFixed(3)} x one in a process, ${(all / none).toFixed(3)} x one in this process`,
    )
  }
  if (json) await writeJson(json, { device, ...results })
  process.exit(0)
}

const numbers = (text: string) => text.split(',').map(Number)

program
  .name('bench-gpus')
  .option('--gpus <numbers>', 'the cards, with commas', numbers, [0, 1])
  .option(
    '--folder <folder>',
    'where the model of random weights is, or comes',
    join(tmpdir(), 'chatglm-bench-gpus'),
  )
  .option('--repetitions <count>', 'timed runs', count, 2)
  .addOption(new Option('--skip-training', 'generate only').default(false))
for (const option of commonOptions) if (option.long !== '--svg') program.addOption(option)
await program.action((options: Options) => run(options)).parseAsync()
