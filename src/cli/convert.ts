import { Command } from 'commander'
import type { Context } from './context.js'
import { InterruptedError } from './errors.js'
import { formatBytes, formatDuration } from './format.js'
import { interruptible } from './interrupt.js'
import {
  type DeviceName,
  deviceOption,
  MODEL_HELP,
  sourceOptions,
  stallTimeoutOption,
} from './model-options.js'
import { oneOf } from './numbers.js'
import { BYTES, Progress } from './progress.js'
import { checkOutputFolder } from './read-text.js'

interface ConvertFlags {
  readonly bits: 4 | 8
  readonly groupSize: 32 | 64
  readonly restart?: true
  readonly stallTimeout?: number
  readonly device: DeviceName
}

const EXAMPLES = `
Examples:
  $ chatglm convert hf:THUDM/chatglm3-6b models/chatglm3-6b-int4
  $ chatglm convert ~/chatglm3-6b models/chatglm3-6b-int8 --bits 8

A conversion that was interrupted continues when the same command is run again.
`

export function convertCommand(context: Context): Command {
  return new Command('convert')
    .description("quantize a checkpoint into this project's format")
    .argument('<source>', `the checkpoint: ${MODEL_HELP}`)
    .argument('<dest>', 'the folder to write')
    .option('--bits <bits>', 'bits of a weight: 4 or 8', oneOf(4, 8), 4)
    .option('--group-size <weights>', 'weights that share a scale: 32 or 64', oneOf(32, 64), 64)
    .option('--restart', 'begin anew and replace what the folder holds')
    .addOption(deviceOption())
    .addOption(stallTimeoutOption())
    .addHelpText('after', EXAMPLES)
    .action((source: string, destination: string, flags: ConvertFlags) =>
      interruptible(context.terminal, (signal) => convert(context, source, destination, flags, signal)),
    )
}

async function convert(
  { terminal, loadLibrary }: Context,
  source: string,
  destination: string,
  { bits, groupSize, restart, device, stallTimeout }: ConvertFlags,
  signal: AbortSignal,
): Promise<void> {
  const { colors } = terminal
  const started = performance.now()
  const library = await loadLibrary()
  await checkOutputFolder(destination)
  terminal.note(
    `Converting ${library.showUrl(source)} to ${destination}: ${bits} bits in groups of ${groupSize}.`,
  )
  const warnings: string[] = []
  const progress = await Progress.create(terminal, BYTES, 'Opening the checkpoint')
  signal.addEventListener('abort', () => progress.stop())
  try {
    const { sourceBytes, bytes } = await library.convertCheckpoint(source, destination, {
      quantization: { bits, groupSize },
      device,
      signal,
      ...sourceOptions(stallTimeout),
      ...(restart && { restart }),
      onProgress: ({ doneBytes, totalBytes, warning }) => {
        progress.update('Converting', doneBytes, totalBytes)
        if (warning) warnings.push(warning)
      },
    })
    progress.stop()
    for (const warning of warnings) terminal.say(`${colors.yellow('warning:')} ${warning}`)
    const seconds = (performance.now() - started) / 1000
    terminal.say(
      `${colors.green('Done')} in ${formatDuration(seconds)}: ${formatBytes(sourceBytes)} became ` +
        `${formatBytes(bytes)} in ${destination}`,
    )
  } catch (error) {
    throw signal.aborted ? new InterruptedError('Run the same command again to continue.') : error
  } finally {
    progress.stop()
  }
}
