import {
  type ByteSink,
  MemoryFiles,
  openCheckpointWriter,
  openSink,
  type Shard,
  type SinkLocation,
  type TensorWithBytes,
  writeTorchBin,
} from '../src/checkpoint/index.js'
import { SinkError } from '../src/errors/index.js'
import { parseModelConfig } from '../src/runtime/model/index.js'
import { type ChatGLMShape, chatglmConfig } from './chatglm-config.js'
import { type ChunkMaker, IN_THIS_THREAD } from './normal-chunks.js'
import { checkpointTensors, tensorContents } from './synthetic-tensors.js'

/** The limit that the official checkpoint was divided with: Transformers' `max_shard_size="2GB"`. */
const OFFICIAL_SHARD_BYTES = 2e9

export interface SyntheticOptions {
  readonly seed: number
  /** A file to put beside the weights, and its content. */
  readonly tokenizer: { readonly file: string; readonly bytes: Uint8Array }
  /** Default: this thread alone. */
  readonly maker?: ChunkMaker
  /** The tensor bytes of a shard at most; that of the official checkpoint by default. */
  readonly shardBytes?: number
  /** Replaces what an earlier run with other settings left in the destination. */
  readonly restart?: boolean
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

/** How a checkpoint of a shape is divided into files, with the official names and sizes. */
export async function officialShards(
  shape: ChatGLMShape,
  shardBytes = OFFICIAL_SHARD_BYTES,
): Promise<readonly Shard[]> {
  const config = chatglmConfig(shape)
  const tensors = checkpointTensors(parseModelConfig(config))
  return (await openCheckpointWriter(new MemoryFiles(), tensors, { config, shardBytes })).shards
}

/**
 * Writes a float16 checkpoint of random weights as safetensors. Continues where an earlier run with the same settings
 * was interrupted.
 *
 * @throws `sink.failed`, `sink.resume-mismatch` as `openCheckpointWriter`
 */
export async function writeSyntheticSafetensors(
  destination: SinkLocation,
  shape: ChatGLMShape,
  options: SyntheticOptions,
): Promise<void> {
  const { seed, tokenizer, maker = IN_THIS_THREAD, shardBytes = OFFICIAL_SHARD_BYTES } = options
  const config = chatglmConfig(shape)
  const model = parseModelConfig(config)
  const writer = await openCheckpointWriter(destination, checkpointTensors(model), {
    config,
    settings: { seed },
    shardBytes,
    restart: options.restart ?? false,
  })
  const missing = writer.shards.filter((shard) => !writer.isComplete(shard))
  const progress = progressOf(missing, options)
  const tensors = missing.flatMap((shard) => shard.tensors)
  for await (const { name, bytes } of tensorContents(tensors, model, seed, maker)) {
    await writer.write(name, bytes)
    progress(bytes.byteLength)
  }
  await writer.addFile(tokenizer.file, tokenizer.bytes)
  await writer.finish()
}

/**
 * Writes the same tensors, divided in the same way, as torch's `pytorch_model-0000N-of-0000M.bin`. Holds one file of
 * them in memory.
 *
 * @throws `sink.failed` where the destination is not empty or cannot be written
 */
export async function writeSyntheticTorch(
  destination: SinkLocation,
  shape: ChatGLMShape,
  options: SyntheticOptions,
): Promise<void> {
  const { seed, tokenizer, maker = IN_THIS_THREAD } = options
  const sink = await openSink(destination)
  if ((await sink.list()).length > 0)
    throw new SinkError('sink.occupied', `${sink.name} is not empty. Give an empty folder.`)
  const config = chatglmConfig(shape)
  const model = parseModelConfig(config)
  const shards = await officialShards(shape, options.shardBytes)
  const progress = progressOf(shards, options)
  const weightMap: Record<string, string> = {}
  for (const shard of shards) {
    const file = shard.file.replace(/^model(.*)\.safetensors$/, 'pytorch_model$1.bin')
    const tensors = shard.tensors.map(({ name, shape, byteLength }) => {
      weightMap[name] = file
      return { name, dtype: 'F16' as const, shape, bytes: new Uint8Array(byteLength), filled: 0 }
    })
    const tensorOf = new Map(tensors.map((tensor) => [tensor.name, tensor]))
    for await (const { name, bytes } of tensorContents(shard.tensors, model, seed, maker)) {
      const tensor = tensorOf.get(name)!
      tensor.bytes.set(bytes, tensor.filled)
      tensor.filled += bytes.byteLength
      progress(bytes.byteLength)
    }
    await writeTorchBin(sink, file, tensors satisfies TensorWithBytes[])
  }
  const totalSize = shards.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap }
  if (shards.length > 1) await writeFile(sink, 'pytorch_model.bin.index.json', jsonBytes(index))
  await writeFile(sink, tokenizer.file, tokenizer.bytes)
  await writeFile(sink, 'config.json', jsonBytes(config))
}

function progressOf(shards: readonly Shard[], { onProgress }: SyntheticOptions): (bytes: number) => void {
  const total = shards.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let done = 0
  return (bytes) => {
    done += bytes
    onProgress?.(done, total)
  }
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
}

async function writeFile(sink: ByteSink, path: string, bytes: Uint8Array): Promise<void> {
  const file = await sink.create(path)
  await file.write(bytes)
  await file.commit()
}
