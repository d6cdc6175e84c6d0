/**
 * Conversion and loading at real size, with the host memory they take, each in a process of its own:
 *
 *   node build/make-synthetic-checkpoint.js /data/float16
 *   node build/bench-full-shape.js convert /data/float16 /data/int4
 *   node build/bench-full-shape.js convert /data/float16 /data/onnx --to onnx
 *   node build/bench-full-shape.js run /data/int4
 */
import { Option, program } from 'commander'
import { adapterName, convertCheckpoint, exportGguf, exportOnnx, loadModel } from '../src/index.js'

interface RunOptions {
  readonly context: string
  readonly prompt: string
  readonly tokens: string
  readonly activations: 'int8' | 'float'
}

interface ConvertOptions {
  readonly bits: string
  readonly to?: 'safetensors' | 'onnx' | 'gguf'
}

/** Converts, and says how far the weights are off where the format tells it. */
async function convert(source: string, destination: string, { bits, to }: ConvertOptions) {
  if (to !== 'onnx' && to !== 'gguf') {
    return convertCheckpoint(source, destination, { quantization: { bits: bits === '8' ? 8 : 4 } })
  }
  const options = { bits: Number(bits) as 4 | 8 | 16 }
  const result =
    to === 'onnx'
      ? await exportOnnx(source, destination, options)
      : await exportGguf(source, destination, options)
  console.log(`weights are off by ${(100 * result.relativeError).toFixed(2)} % of their size`)
  return result
}

/** The most memory this process has had, in bytes. */
function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`

program
  .command('convert')
  .argument('<source>')
  .argument('<destination>')
  .option('--bits <bits>', '4 or 8; with --to also 16', '4')
  .addOption(new Option('--to <format>', 'what to write').choices(['safetensors', 'onnx', 'gguf']))
  .action(async (source: string, destination: string, options: ConvertOptions) => {
    const started = performance.now()
    const before = process.memoryUsage().rss
    const result = await convert(source, destination, options)
    console.log(
      `converted ${gigabytes(result.sourceBytes)} to ${gigabytes(result.bytes)} in ${seconds(started)}`,
    )
    console.log(`host memory: ${gigabytes(before)} at the start, ${gigabytes(peakMemory())} at its peak`)
  })

program
  .command('run')
  .argument('<model>')
  .option('--context <tokens>', 'context length', '8192')
  .option('--prompt <tokens>', 'tokens of the prompt', '128')
  .option('--tokens <count>', 'tokens to generate', '64')
  .addOption(new Option('--activations <kind>', 'of decoding').choices(['int8', 'float']).default('int8'))
  .action(async (folder: string, options: RunOptions) => {
    const before = process.memoryUsage().rss
    const started = performance.now()
    const model = await loadModel(folder, {
      contextLength: Number(options.context),
      activations: options.activations,
    })
    console.log(`${adapterName(model.adapter)}: loaded in ${seconds(started)}`)
    const peak = peakMemory()
    console.log(`host memory: ${gigabytes(before)} at the start, ${gigabytes(peak)} at its peak`)
    const { total, ...kinds } = model.memory
    const parts = Object.entries(kinds).map(([kind, bytes]) => `${kind} ${gigabytes(bytes)}`)
    console.log(`GPU memory at a context of ${options.context}: ${gigabytes(total)} (${parts.join(', ')})`)
    const prompt = Array.from(
      { length: Number(options.prompt) },
      (_, i) => (1000 + i * 7919) % model.config.vocabulary,
    )
    const maxTokens = Number(options.tokens)
    for (const round of ['first', 'second']) {
      // A prompt that differs from the start leaves nothing to take from the cache.
      const ids = round === 'first' ? prompt : [7, ...prompt]
      const { ids: generated } = await model
        .generate(ids, { temperature: 0, maxTokens, stopIds: [] })
        .result()
      const { prefillTokens, prefillSeconds, decodeTokens, decodeSeconds } = model.stats
      console.log(
        `${round} run: ${generated.length} tokens; prefill ${(prefillTokens / prefillSeconds).toFixed(0)} tokens/s, ` +
          `decode ${(decodeTokens / decodeSeconds).toFixed(1)} tokens/s`,
      )
    }
    model.dispose()
  })

await program.parseAsync()
