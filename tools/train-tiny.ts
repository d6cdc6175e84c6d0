/**
 * Makes `models/tiny` from nothing: `npm run train:tiny`. Writes the text, trains all weights, quantizes them, trains the
 * prefixes over the quantized weights, asks what was held out, and writes the model card. Every stage that is done stays
 * done: the same command goes on where it was interrupted.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { adapterName, isSoftwareAdapter, requestAdapter } from '../src/gpu/index.js'
import { evaluateSmallModel } from './tiny/evaluate-model.js'
import { writeInitialCheckpoint } from './tiny/initial-checkpoint.js'
import { modelCard } from './tiny/model-card.js'
import { PREFIX_TASKS } from './tiny/prefix-tasks/prefix-tasks.js'
import { SMALL_MODEL } from './tiny/shape.js'
import { StageClock } from './tiny/stage-clock.js'
import { CORPUS_FILES, CorpusError, checkCorpus, writeCorpus } from './tiny/write-corpus.js'

const SEED = 1
const RECORDS = 500_000
const GROUP_SIZE = '32'

/** Runs the command line of this project, from its root. @throws where it fails, after it has said why */
async function chatglm(...args: string[]): Promise<void> {
  console.log(`\n$ chatglm ${args.join(' ')}`)
  const child = spawn(process.execPath, ['dist/node/cli.js', ...args], { stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  if (code !== 0) throw new Error(`chatglm ${args[0]} ended with ${code ?? 'a signal'}; see above.`)
}

/** Makes a folder whole or not at all. */
async function whole(folder: string, make: (partial: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  await make(partial)
  await rename(partial, folder)
}

interface Flags {
  readonly work: string
  readonly corpus?: string
  readonly steps?: string
  readonly prefixSteps?: string
  readonly samples?: string
  readonly hardware?: string
}

async function trainTiny(
  destination: string,
  { work, corpus: given, steps, prefixSteps, samples, hardware }: Flags,
): Promise<void> {
  if (given !== undefined) await checkCorpus(given)
  const { info } = await requestAdapter()
  const adapter = adapterName(info)
  console.log(`Adapter: ${adapter}`)
  if (isSoftwareAdapter(info)) {
    console.log(
      'There is no GPU: this works, but takes days. The progress below says how long after a few steps.',
    )
  }
  await mkdir(work, { recursive: true })
  const clock = await StageClock.open(join(work, 'seconds.json'))
  const folder = (name: string) => join(work, name)
  const corpus = given ?? folder('corpus')
  const inCorpus = (file: string) => join(corpus, file)

  await clock.time('text', () =>
    whole(corpus, async (partial) => console.log(`\n${await writeCorpus(partial, RECORDS, SEED)}`)),
  )
  await checkCorpus(corpus)
  await whole(folder('initial'), async (partial) =>
    writeInitialCheckpoint(partial, SMALL_MODEL, await readFile(inCorpus(CORPUS_FILES.tokenizer)), SEED),
  )
  await clock.time('base', () =>
    chatglm(
      ...['finetune', '--preset', 'sft', '--config', 'tools/tiny/base.yaml'],
      ...['--model', folder('initial'), '--data', inCorpus(CORPUS_FILES.training)],
      ...['--eval-data', inCorpus(CORPUS_FILES.watched), '--output', folder('base'), '--resume'],
      ...(steps === undefined ? [] : ['--max-steps', steps]),
    ),
  )
  await chatglm('convert', folder('base'), folder('model'), '--group-size', GROUP_SIZE)
  await clock.time('prefixes', async () => {
    for (const { name } of PREFIX_TASKS) {
      await chatglm(
        ...['finetune', '--config', 'tools/tiny/prefix.yaml'],
        ...['--model', folder('model'), '--data', inCorpus(CORPUS_FILES.prefixTraining(name))],
        ...['--eval-data', inCorpus(CORPUS_FILES.prefixHeldOut(name))],
        ...['--output', folder(`prefix-${name}`), '--resume'],
        ...(prefixSteps === undefined ? [] : ['--max-steps', prefixSteps]),
      )
    }
  })
  const prefixes = Object.fromEntries(PREFIX_TASKS.map(({ name }) => [name, folder(`prefix-${name}`)]))
  const evaluation = await clock.time('evaluation', () =>
    evaluateSmallModel(
      { float: folder('base'), quantized: folder('model'), prefixes },
      samples === undefined ? undefined : Number(samples),
    ),
  )
  await writeFile(folder('evaluation.json'), `${JSON.stringify(evaluation, null, 1)}\n`)

  const result = folder('result')
  await rm(result, { recursive: true, force: true })
  await cp(folder('model'), result, { recursive: true })
  for (const [name, prefix] of Object.entries(prefixes)) {
    for (const file of ['model.safetensors', 'config.json']) {
      await cp(join(prefix, file), join(result, 'prefixes', name, file))
    }
  }
  await cp(join(folder('base'), 'loss.svg'), join(result, 'loss.svg'))
  const card = await modelCard({
    evaluation,
    hardware: hardware ?? adapter,
    seconds: clock.seconds,
    corpusTable: await readFile(inCorpus(CORPUS_FILES.table), 'utf8'),
    records: RECORDS,
    seed: SEED,
    folders: { base: folder('base'), model: folder('model'), prefixes },
  })
  await writeFile(join(result, 'README.md'), card)
  await rm(destination, { recursive: true, force: true })
  await cp(result, destination, { recursive: true })
  console.log(`\nThe model is in ${destination}; its card: ${join(destination, 'README.md')}`)
}

await new Command('train-tiny')
  .description('Trains the small model that ships with the repository, and writes its card.')
  .argument('[folder]', 'where the model goes', 'models/tiny')
  .option('--work <folder>', 'where the stages are kept', '.cache/train-tiny')
  .option('--corpus <folder>', 'text that make-tiny-corpus wrote before')
  .option('--steps <count>', 'steps of the base, for a try')
  .option('--prefix-steps <count>', 'steps of each prefix, for a try')
  .option('--samples <count>', 'held-out questions of each task, for a try')
  .option('--hardware <name>', 'what the card calls the machine; by default the name of its adapter')
  .action(async (destination: string, flags: Flags, program: Command) => {
    try {
      await trainTiny(destination, flags)
    } catch (error) {
      if (error instanceof CorpusError) program.error(`error: ${error.message}`)
      throw error
    }
  })
  .parseAsync()
