import { Command } from 'commander'
import type { Context } from './context.js'
import { InterruptedError } from './errors.js'
import { formatBytes } from './format.js'
import { interruptible } from './interrupt.js'
import { MODEL_HELP, sourceOptions, stallTimeoutOption } from './model-options.js'
import { BYTES, Progress } from './progress.js'

const EXAMPLES = `
Examples:
  $ chatglm download hf:THUDM/chatglm3-6b models/chatglm3-6b
  $ chatglm download hf:THUDM/chatglm3-6b && chatglm chat hf:THUDM/chatglm3-6b
  $ HF_ENDPOINT=https://hf-mirror.com chatglm download hf:THUDM/chatglm3-6b models/chatglm3-6b

A download that was interrupted goes on when the same command is run again.
`

export function downloadCommand(context: Context): Command {
  return new Command('download')
    .description('copy the files of a checkpoint, for instance from a hub')
    .argument('<source>', `the checkpoint: ${MODEL_HELP}`)
    .argument(
      '[dest]',
      "the folder to write (default for hf:owner/name: the cache of Hugging Face's own tools)",
    )
    .addOption(stallTimeoutOption())
    .addHelpText('after', EXAMPLES)
    .action(
      (
        source: string,
        destination: string | undefined,
        { stallTimeout }: { readonly stallTimeout?: number },
      ) =>
        interruptible(context.terminal, (signal) =>
          download(context, source, destination, stallTimeout, signal),
        ),
    )
}

async function download(
  { terminal, loadLibrary }: Context,
  source: string,
  destination: string | undefined,
  stallTimeout: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const library = await loadLibrary()
  const progress = await Progress.create(terminal, BYTES, 'Opening the checkpoint')
  signal.addEventListener('abort', () => progress.stop())
  try {
    const { bytes, files, kept } = await library.downloadCheckpoint(source, destination, {
      signal,
      ...sourceOptions(stallTimeout),
      onProgress: ({ doneBytes, totalBytes }) => progress.update('Downloading', doneBytes, totalBytes),
    })
    progress.stop()
    const already = kept > 0 ? `, ${kept} of which were there` : ''
    terminal.say(
      `${terminal.colors.green('Done')}: ${files} files of ${formatBytes(bytes)} in ${destination ?? "Hugging Face's cache"}${already}`,
    )
  } catch (error) {
    throw signal.aborted ? new InterruptedError('Run the same command again to continue.') : error
  } finally {
    progress.stop()
  }
}
