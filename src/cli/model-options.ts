import { type Command, InvalidArgumentError, Option } from 'commander'
import { hasCode } from '../errors/index.js'
import type { LoadModelOptions, Progress as ModelProgress } from '../index.js'
import { CommandError, UsageError } from './errors.js'
import { collect } from './generation-options.js'
import { chosenGpus, gpuOption } from './gpu-option.js'
import type { CliModel, Library } from './library.js'
import { number, oneOf, wholeNumber } from './numbers.js'
import { BUNDLED_MODEL, modelSource } from './package-files.js'
import { BYTES, Progress } from './progress.js'
import { shellQuote } from './shell-quote.js'
import type { Terminal } from './terminal.js'

export const MODEL_HELP = 'a folder, a URL, hf:owner/name or modelscope:owner/name'

export type DeviceName = 'auto' | 'software'

/** How to load a model, as the command line says it. */
export interface ModelFlags {
  readonly bits?: 4 | 8
  readonly groupSize?: 32 | 64
  readonly context?: number
  readonly device: DeviceName
  readonly gpu?: readonly number[]
  readonly variant?: readonly string[]
  readonly stallTimeout?: number
  readonly verify?: true
}

export function deviceOption(): Option {
  return new Option('--device <name>', 'the fastest adapter, or the software adapter on the CPU')
    .choices(['auto', 'software'])
    .default('auto')
}

/** In seconds; the library takes milliseconds. */
export function stallTimeoutOption(): Option {
  return new Option(
    '--stall-timeout <seconds>',
    'how long a server may be silent before it is asked again, three times in all (default: 30)',
  ).argParser(number((value) => value > 0 && value <= 86_400, 'seconds, above 0 and up to 86400'))
}

/** The option as the library takes it. */
export function sourceOptions(stallTimeout: number | undefined): { stallTimeout?: number } {
  return stallTimeout === undefined ? {} : { stallTimeout: stallTimeout * 1000 }
}

export function addModelOptions(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .option('--bits <bits>', 'quantize a float checkpoint while it loads, to 4 or 8 bits', oneOf(4, 8))
    .option('--group-size <weights>', 'weights that share a scale when quantizing: 32 or 64', oneOf(32, 64))
    .option('--context <tokens>', 'room for prompt and answer together', wholeNumber(2))
    .addOption(deviceOption())
    .addOption(gpuOption())
    .option(
      '--variant <name=value>',
      "a kernel to use instead of the fastest: see 'chatglm devices'; repeatable",
      collect,
    )
    .option('--verify', 'compare the files with their manifest first, which reads them once more')
    .addOption(stallTimeoutOption())
}

/** Some commands take the model as an option; this one, of a command that does not, says where it belongs. */
export function misplacedModel(command: string): Option {
  return new Option('--model <path>').hideHelp().argParser((path) => {
    throw new InvalidArgumentError(`The model is the first argument: 'chatglm ${command} ${path}'.`)
  })
}

/** `prefill-product` as the library calls it: `prefillProduct`. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** @throws UsageError for what is no `name=value`; the library knows which names and values there are */
function parseVariants(options: readonly string[]): NonNullable<LoadModelOptions['variants']> {
  return Object.fromEntries(
    options.map((option) => {
      const [, name, value] = /^([a-z][a-zA-Z-]*)=(.+)$/.exec(option) ?? []
      if (name === undefined) {
        throw new UsageError(`--variant ${option}: expected name=value, for example --variant decode=float.`)
      }
      return [camelCase(name), value]
    }),
  )
}

function loadOptions({
  bits,
  groupSize,
  context,
  device,
  variant,
  stallTimeout,
  verify,
}: ModelFlags): LoadModelOptions {
  return {
    ...sourceOptions(stallTimeout),
    device,
    ...((bits || groupSize) && { quantization: { ...(bits && { bits }), ...(groupSize && { groupSize }) } }),
    ...(context && { contextLength: context }),
    ...(variant && { variants: parseVariants(variant) }),
    ...(verify && { verify }),
  }
}

/** A prompt given where the model belongs is the likeliest mistake. */
function explain(error: unknown, model: string): unknown {
  if (!hasCode(error, 'source.not-found') || !/[\s\u3000-\uffef?!]/.test(model)) return error
  return new CommandError(
    `${error.message}\nIf that was the prompt, name the model first: chatglm chat ${BUNDLED_MODEL} ${shellQuote(model)}`,
  )
}

/** What is going on, for the bar. */
function stageLabel({ stage, doneBytes, totalBytes, kernels }: ModelProgress): string {
  if (stage === 'verifying') return 'Comparing the files with their manifest'
  if (stage === 'tuning') return 'Measuring which kernels are the fastest here; the next load knows'
  if (kernels) return `Compiling kernels, ${kernels.done} of ${kernels.total}`
  return doneBytes < totalBytes ? 'Loading' : 'Preparing the GPU'
}

/** Positions of a model where the user names none, and rows of an official prefix. */
const CONTEXT = 8192
const PREFIX = 128

/** What a command that answers `batch` prompts side by side loads its model with: room for a whole context of each. */
export function batchOptions(batch: number, { context = CONTEXT }: Pick<ModelFlags, 'context'>) {
  const spreads = { spreads: true }
  return batch > 1 ? { ...spreads, maxSequences: batch, cacheTokens: batch * (context + PREFIX) } : spreads
}

/**
 * Loads the model that the user named, and shows how far that has come.
 * @param more what this command needs besides
 */
export async function openModel(
  library: Library,
  terminal: Terminal,
  model: string,
  flags: ModelFlags,
  signal: AbortSignal,
  {
    spreads = false,
    ...more
  }: Pick<LoadModelOptions, 'maxSequences' | 'cacheTokens' | 'maxWaiting' | 'activations'> & {
    /** Whether the command has work for several GPUs. */
    readonly spreads?: boolean
  } = {},
): Promise<CliModel> {
  const gpu = chosenGpus(flags.gpu, terminal.io, spreads)
  const progress = await Progress.create(terminal, BYTES, 'Opening the model')
  signal.addEventListener('abort', () => progress.stop())
  const warnings: string[] = []
  try {
    const loaded = await library.loadModel(modelSource(model), {
      ...loadOptions(flags),
      ...more,
      ...(gpu && {
        gpu,
        onGpuLost: (label, { message }) => {
          terminal.say(`${terminal.colors.yellow('warning:')} ${label} is lost, the others go on. ${message}`)
        },
      }),
      signal,
      onProgress: (event) => {
        progress.update(stageLabel(event), event.doneBytes, event.totalBytes)
        if (event.warning) warnings.push(event.warning)
      },
    })
    if (!signal.aborted) return loaded
    // Aborted between the end of loading and here.
    loaded.dispose()
    throw signal.reason
  } catch (error) {
    throw explain(error, model)
  } finally {
    progress.stop()
    for (const warning of warnings) terminal.say(`${terminal.colors.yellow('warning:')} ${warning}`)
  }
}
