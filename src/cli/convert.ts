import { basename, dirname } from 'node:path'
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

type Format = 'safetensors' | 'onnx' | 'gguf'

/** What the formats of other tools call their bits. */
const GGUF_TYPES = { 4: 'Q4_0', 8: 'Q8_0', 16: 'F16' } as const

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
  $ chatglm convert ~/chatglm3-6b models/chatglm3-6b-Q8_0.gguf --to gguf --bits 8

A conversion that was interrupted continues when the same command is run again.
`

export function convertCommand(context: Context): Command {
  return new Command('convert')
    .description("quantize a checkpoint into this project's format, or for ONNX Runtime or llama.cpp")
    .argument('<source>', `the checkpoint: ${MODEL_HELP}`)
    .argument('<dest>', 'the folder to write; for gguf also a file FOLDER/NAME.gguf')
    .addOption(
      new Option(
        '--to <format>',
        'what to write: quantized safetensors, a graph for ONNX Runtime, or a file for llama.cpp',
      )
        .choices(['safetensors', 'onnx', 'gguf'])
        .default('safetensors'),
    )
    .option('--bits <bits>', 'bits of a weight: 4 or 8; for onnx and gguf also 16', oneOf(4, 8, 16), 4)
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
  { to, bits, groupSize, restart, device, stallTimeout }: ConvertFlags,
  signal: AbortSignal,
): Promise<void> {
  if (to === 'safetensors' && (bits === 16 || groupSize === 128)) {
    throw new UsageError(
      '--bits 16 and --group-size 128 are for --to onnx: 4 or 8 bits in groups of 32 or 64 here.',
    )
  }
  if (to === 'gguf' && groupSize && groupSize !== 32) {
    throw new UsageError('--group-size is 32 for --to gguf: the types of llama.cpp have no other.')
  }
  const { colors } = terminal
  const started = performance.now()
  const library = await loadLibrary()
  const [folder, file] =
    to === 'gguf' && /\.gguf$/i.test(destination)
      ? [dirname(destination), basename(destination)]
      : [destination, undefined]
  await checkOutputFolder(folder)
  terminal.note(`Converting ${library.showUrl(source)} to ${destination}: ${describe(to, bits, groupSize)}.`)
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
        ? await library.exportOnnx(source, folder, { bits, groupSize: groupSize ?? 32, ...options })
        : to === 'gguf'
          ? await library.exportGguf(source, folder, { bits, ...(file && { file }), ...options })
          : await library.convertCheckpoint(source, folder, {
              ...options,
              quantization: { bits, groupSize: groupSize ?? 64 } as ConvertOptions['quantization'],
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

/** What a format and its settings are called. */
function describe(to: Format, bits: 4 | 8 | 16, groupSize: number | undefined): string {
  if (to === 'gguf') return `GGUF, ${GGUF_TYPES[bits]}`
  const stored =
    bits === 16 ? '16 bits' : `${bits} bits in groups of ${groupSize ?? (to === 'onnx' ? 32 : 64)}`
  return to === 'onnx' ? `ONNX, ${stored}` : stored
}
