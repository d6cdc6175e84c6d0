import { CheckpointError, hasCode, SourceError } from '../errors/index.js'
import { Checkpoint, type ReadOptions, type TensorInfo } from './checkpoint.js'
import { findWeights } from './find-weights.js'
import { CONFIG_FILE } from './formats/checkpoint-files.js'
import { GGUF_MAGIC, type GgufFile, openGguf } from './formats/gguf.js'
import { openGgufParts } from './formats/gguf-parts.js'
import { parseJson } from './formats/json.js'
import { START_BYTES, whatElse } from './formats/recognize.js'
import { openSafetensors } from './formats/safetensors.js'
import type { TensorFile, TensorLayout } from './formats/tensor-file.js'
import { readWeightIndex } from './formats/weight-index.js'
import { openSource, type SourceLocation, type SourceOptions } from './open-files.js'
import { type ByteSource, readFile } from './sources/byte-source.js'

/** The official one has 1.3 kB; one that lists how each layer is quantized has some 100 kB. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024

/** What a file that is something else altogether looks like. */
const MALFORMED = ['checkpoint.corrupt', 'checkpoint.truncated', 'checkpoint.unsupported'] as const

export interface OpenCheckpointOptions extends SourceOptions, ReadOptions {}

/**
 * Opens a checkpoint: a folder with `model.safetensors`, `pytorch_model.bin`, one of their indexes of shards or a
 * `.gguf` file, or one such file of any name. Of a GGUF file in several parts, any of them stands for all.
 *
 * @throws `source.not-found` where there are no weights
 * @throws `checkpoint.shard-missing` where a shard of the index is missing
 * @throws `checkpoint.corrupt`, `checkpoint.truncated`, `checkpoint.unsafe-pickle`, `checkpoint.unsafe-path`, `checkpoint.unsupported` where
 * the files are not what they should be
 * @throws `source.failed` where they cannot be read
 */
export async function openCheckpoint(
  location: SourceLocation,
  options: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const { signal } = options
  const source = await openSource(location, options)
  const path = source.file ?? (await findWeights(source, signal))
  if (source.file !== undefined && !(await source.has(path, signal))) {
    throw new SourceError('source.not-found', `There is no file ${path} in ${source.name}.`)
  }
  const config = (await source.has(CONFIG_FILE, signal))
    ? parseJson(await readFile(source, CONFIG_FILE, MAX_CONFIG_BYTES, signal), CONFIG_FILE)
    : undefined
  if (path.endsWith('.index.json')) return openShards(source, path, config, signal)
  const file = await openTensorFile(source, path, signal)
  const parts = isGguf(file) ? await openGgufParts(source, file, signal) : undefined
  const files = parts ?? [file]
  const tensors = new Map<string, TensorInfo>()
  for (const one of files) {
    for (const [name, layout] of one.tensors) tensors.set(name, tensorInfo(name, layout, one.path))
  }
  return new Checkpoint(
    source,
    config,
    tensors,
    new Map(files.map((one) => [one.path, one])),
    parts?.[0]?.metadata,
  )
}

/** Opens a file of tensors. Where it is none, what it is instead is said. */
async function openTensorFile(source: ByteSource, path: string, signal?: AbortSignal): Promise<TensorFile> {
  try {
    return await openByContent(source, path, signal)
  } catch (error) {
    if (!MALFORMED.some((code) => hasCode(error, code))) throw error
    const size = await source.size(path, signal)
    throw whatElse(await source.read(path, 0, Math.min(size, START_BYTES), signal), path) ?? error
  }
}

/** Opens a file by what it contains, as names like `.pt` and `.bin` promise nothing. */
async function openByContent(source: ByteSource, path: string, signal?: AbortSignal): Promise<TensorFile> {
  if (path.endsWith('.safetensors')) return openSafetensors(source, path, signal)
  const start = await source.read(path, 0, Math.min(4, await source.size(path, signal)), signal)
  const isMagic =
    start.byteLength === 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === GGUF_MAGIC
  if (isMagic) return openGguf(source, path, signal)
  // Its reader of zip archives is a fifth of a page's code.
  const { openTorchBin } = await import('./formats/torch-bin.js')
  return openTorchBin(source, path, signal)
}

function isGguf(file: TensorFile): file is GgufFile {
  return 'metadata' in file
}

async function openShards(
  source: ByteSource,
  indexPath: string,
  config: unknown,
  signal: AbortSignal | undefined,
): Promise<Checkpoint> {
  const index = await readWeightIndex(source, indexPath, signal)
  const opened = await Promise.all(
    [...index.shards].map(async ([path, names]) => {
      if (!(await source.has(path, signal))) {
        throw new CheckpointError(
          'checkpoint.shard-missing',
          `${indexPath} lists the shard ${path}, which is not in ${source.name}. It holds ${names.length} tensors ` +
            `(${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}): download it.`,
          { details: { shard: path, tensors: names } },
        )
      }
      return [path, await openTensorFile(source, path, signal)] as const
    }),
  )
  const files = new Map(opened)
  const tensors = new Map<string, TensorInfo>()
  let totalSize = 0
  for (const [name, path] of index.shardOf) {
    const layout = files.get(path)!.tensors.get(name)
    if (layout === undefined) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `${indexPath} places tensor ${JSON.stringify(name.slice(0, 200))} in ${path}, which does not have it. ` +
          'Index and shards are of different checkpoints: download them again.',
      )
    }
    tensors.set(name, tensorInfo(name, layout, path))
    totalSize += layout.byteLength
  }
  if (index.totalSize !== undefined && index.totalSize !== totalSize) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${indexPath} says that its tensors have ${index.totalSize} bytes together, but the shards have ${totalSize}. ` +
        'Index and shards are of different checkpoints: download them again.',
    )
  }
  return new Checkpoint(source, config, tensors, files)
}

function tensorInfo(name: string, { dtype, shape, byteLength }: TensorLayout, file: string): TensorInfo {
  return { name, dtype, shape, byteLength, file }
}
