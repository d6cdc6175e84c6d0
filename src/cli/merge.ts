import { Command } from 'commander'
import type { Progress } from '../index.js'
import type { Context } from './context.js'
import { InterruptedError } from './errors.js'
import { formatBytes, formatDuration } from './format.js'
import { interruptible } from './interrupt.js'
import { MODEL_HELP, sourceOptions, stallTimeoutOption } from './model-options.js'
import { BYTES, Progress as ProgressBar } from './progress.js'
import { checkOutputFolder } from './read-text.js'

interface MergeFlags {
  readonly restart?: true
  readonly stallTimeout?: number
}

const EXAMPLES = `
Examples:
  $ chatglm merge ~/chatglm3-6b output/lora models/chatglm3-6b-ads
  $ chatglm convert models/chatglm3-6b-ads models/chatglm3-6b-ads-int4

An adapter need not be merged to be used: --adapter takes it as it is, over quantized weights, too. A merge that was
interrupted continues when the same command is run again.
`

export function mergeCommand(context: Context): Command {
  return new Command('merge')
    .description('merge a LoRA adapter into a float checkpoint, as a model of its own')
    .argument('<model>', `the float checkpoint: ${MODEL_HELP}`)
    .argument('<adapter>', 'the folder of the adapter, as PEFT or finetune --method lora saves it')
    .argument('<dest>', 'the folder to write')
    .option('--restart', 'begin anew and replace what the folder holds')
    .addOption(stallTimeoutOption())
    .addHelpText('after', EXAMPLES)
    .action((model: string, adapter: string, destination: string, flags: MergeFlags) =>
      interruptible(context.terminal, (signal) =>
        merge(context, { model, adapter, destination, ...flags }, signal),
      ),
    )
}

async function merge(
  { terminal, loadLibrary }: Context,
  {
    model,
    adapter,
    destination,
    restart,
    stallTimeout,
  }: MergeFlags & Readonly<Record<'model' | 'adapter' | 'destination', string>>,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now()
  const library = await loadLibrary()
  await checkOutputFolder(destination)
  terminal.note(`Merging ${library.showUrl(adapter)} into ${library.showUrl(model)}, to ${destination}.`)
  const progress = await ProgressBar.create(terminal, BYTES, 'Opening the checkpoint')
  signal.addEventListener('abort', () => progress.stop())
  try {
    const { bytes } = await library.mergeAdapter(model, adapter, destination, {
      signal,
      ...sourceOptions(stallTimeout),
      ...(restart && { restart }),
      onProgress: ({ doneBytes, totalBytes }: Progress) => progress.update('Merging', doneBytes, totalBytes),
    })
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    terminal.say(`${terminal.colors.green('Done')}: ${formatBytes(bytes)} in ${formatDuration(seconds)}`)
  } catch (error) {
    throw signal.aborted ? new InterruptedError('Run the same command again to continue.') : error
  } finally {
    progress.stop()
  }
}
