import { Command, Option } from 'commander'
import type { ConvertOptions, ConvertResult, Progress } from '../index.js'
import type { Context } from './context.js'
import { InterruptedError, UsageError } from './errors.js'
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
import { BYTES, Progress as ProgressBar } from './progress.js'
import { checkOutputFolder } from './read-text.js'

type Format = 'safetensors' | 'onnx'

interface ConvertFlags {
  readonly to: Format
  readonly bits: 4 | 8 | 16
  readonly groupSize?: 32 | 64 | 128
  readonly restart?: true
  readonly stallTimeout?: number
  readonly device: DeviceName
}

const EXAMPLES = `
Examples:
  $ chatglm convert hf:THUDM/chatglm3-6b models/chatglm3-6b-int4
  $ chatglm convert ~/chatglm3-6b models/chatglm3-6b-int8 --bits 8
  $ chatglm convert ~/chatglm3-6b models/chatglm3-6b-onnx --to onnx

A conversion that was interrupted continues when the same command is run again.
`

export function convertCommand(context: Context): Command {
  return new Command('convert')
    .description("quantize a checkpoint into this project's format, or for ONNX Runtime")
    .argument('<source>', `the checkpoint: ${MODEL_HELP}`)
    .argument('<dest>', 'the folder to write')
    .addOption(
      new Option('--to <format>', 'what to write: quantized safetensors, or a graph for ONNX Runtime')
        .choices(['safetensors', 'onnx'])
        .default('safetensors'),
    )
    .option('--bits <bits>', 'bits of a weight: 4 or 8; for onnx also 16', oneOf(4, 8, 16), 4)
    .option(
      '--group-size <weights>',
      'weights that share a scale: 32 or 64 (default); for onnx 32 (default), 64 or 128',
      oneOf(32, 64, 128),
    )
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
  { to, bits, groupSize = to === 'onnx' ? 32 : 64, restart, device, stallTimeout }: ConvertFlags,
  signal: AbortSignal,
): Promise<void> {
  if (to === 'safetensors' && (bits === 16 || groupSize === 128)) {
    throw new UsageError(
      '--bits 16 and --group-size 128 are for --to onnx: 4 or 8 bits in groups of 32 or 64 here.',
    )
  }
  const { colors } = terminal
  const started = performance.now()
  const library = await loadLibrary()
  await checkOutputFolder(destination)
  terminal.note(
    `Converting ${library.showUrl(source)} to ${destination}: ${to === 'onnx' ? 'ONNX, ' : ''}` +
      `${bits === 16 ? '16 bits' : `${bits} bits in groups of ${groupSize}`}.`,
  )
  const warnings: string[] = []
  const progress = await ProgressBar.create(terminal, BYTES, 'Opening the checkpoint')
  signal.addEventListener('abort', () => progress.stop())
  try {
    const options = {
      signal,
      ...sourceOptions(stallTimeout),
      ...(restart && { restart }),
      onProgress: ({ doneBytes, totalBytes, warning }: Progress) => {
        progress.update('Converting', doneBytes, totalBytes)
        if (warning) warnings.push(warning)
      },
    }
    const result: ConvertResult & { readonly relativeError?: number } =
      to === 'onnx'
        ? await library.exportOnnx(source, destination, { bits, groupSize, ...options })
        : await library.convertCheckpoint(source, destination, {
            ...options,
            quantization: { bits, groupSize } as ConvertOptions['quantization'],
            device,
          })
    progress.stop()
    for (const warning of warnings) terminal.say(`${colors.yellow('warning:')} ${warning}`)
    const seconds = (performance.now() - started) / 1000
    terminal.say(
      `${colors.green('Done')} in ${formatDuration(seconds)}: ${formatBytes(result.sourceBytes)} became ` +
        `${formatBytes(result.bytes)} in ${destination}`,
    )
    if (result.relativeError) {
      const off = (result.relativeError * 100).toFixed(1)
      terminal.say(`Weights are off by ${off} % of their size (root mean square).`)
    }
  } catch (error) {
    throw signal.aborted ? new InterruptedError('Run the same command again to continue.') : error
  } finally {
    progress.stop()
  }
}
