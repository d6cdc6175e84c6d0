import { type Command, Option } from 'commander'
import type { LoadModelOptions } from '../index.js'
import { CommandError } from './errors.js'
import type { CliModel, Library } from './library.js'
import { oneOf, wholeNumber } from './numbers.js'
import { BUNDLED_MODEL, modelSource } from './package-files.js'
import { BYTES, Progress } from './progress.js'
import type { Terminal } from './terminal.js'

export const MODEL_HELP = 'a folder, a URL, hf:owner/name or modelscope:owner/name'

export type DeviceName = 'auto' | 'software'

/** How to load a model, as the command line says it. */
export interface ModelFlags {
  readonly bits?: 4 | 8
  readonly groupSize?: 32 | 64
  readonly context?: number
  readonly device: DeviceName
}

export function deviceOption(): Option {
  return new Option('--device <name>', 'the fastest adapter, or the software adapter on the CPU')
    .choices(['auto', 'software'])
    .default('auto')
}

export function addModelOptions(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .option('--bits <bits>', 'quantize a float checkpoint while it loads, to 4 or 8 bits', oneOf(4, 8))
    .option('--group-size <weights>', 'weights that share a scale when quantizing: 32 or 64', oneOf(32, 64))
    .option('--context <tokens>', 'room for prompt and answer together', wholeNumber(2))
    .addOption(deviceOption())
}

function loadOptions({ bits, groupSize, context, device }: ModelFlags): LoadModelOptions {
  return {
    device,
    ...((bits || groupSize) && { quantization: { ...(bits && { bits }), ...(groupSize && { groupSize }) } }),
    ...(context && { contextLength: context }),
  }
}

/** A prompt given where the model belongs is the likeliest mistake. */
function explain(error: unknown, model: string): unknown {
  if ((error as Error)?.name !== 'CheckpointNotFoundError' || !/[\s\u3000-\uffef?!]/.test(model)) return error
  return new CommandError(
    `${(error as Error).message}\nIf that was the prompt, name the model first: chatglm chat ${BUNDLED_MODEL} ${JSON.stringify(model)}`,
  )
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
  more: Pick<LoadModelOptions, 'batchSize' | 'activations'> = {},
): Promise<CliModel> {
  const progress = await Progress.create(terminal, BYTES, 'Opening the model')
  signal.addEventListener('abort', () => progress.stop())
  try {
    const loaded = await library.loadModel(modelSource(model), {
      ...loadOptions(flags),
      ...more,
      signal,
      // What follows the last byte is the compilation of the kernels.
      onProgress: ({ doneBytes, totalBytes }) =>
        progress.update(doneBytes < totalBytes ? 'Loading' : 'Preparing the GPU', doneBytes, totalBytes),
    })
    if (!signal.aborted) return loaded
    // The last steps of loading take no notice of the signal.
    loaded.dispose()
    throw signal.reason
  } catch (error) {
    throw explain(error, model)
  } finally {
    progress.stop()
  }
}
