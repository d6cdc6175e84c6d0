import { CheckpointError } from '../../errors/index.js'
import { normalizePath } from '../paths.js'
import { type ByteSource, readFile } from '../sources/byte-source.js'
import { isJsonObject, isSize, parseJson } from './json.js'

/** The official index has 20 kB. */
const MAX_INDEX_BYTES = 8 * 1024 * 1024

/** Which shard holds which tensor: `model.safetensors.index.json` or `pytorch_model.bin.index.json`. */
export interface WeightIndex {
  readonly path: string
  /** The path of the shard of each tensor. */
  readonly shardOf: ReadonlyMap<string, string>
  /** The names of the tensors of each shard. */
  readonly shards: ReadonlyMap<string, readonly string[]>
  /** The bytes of all tensors, where the index says so. */
  readonly totalSize?: number
}

/**
 * Reads an index file of Hugging Face: `{"metadata": {"total_size"}, "weight_map": {TENSOR: FILE}}`.
 *
 * @throws `checkpoint.corrupt` where the file is no such index
 * @throws `checkpoint.unsafe-path` where a shard would lie outside the checkpoint
 */
export async function readWeightIndex(
  source: ByteSource,
  path: string,
  signal?: AbortSignal,
): Promise<WeightIndex> {
  const json = parseJson(await readFile(source, path, MAX_INDEX_BYTES, signal), path)
  const weightMap = isJsonObject(json) ? json.weight_map : undefined
  if (!isJsonObject(json) || !isJsonObject(weightMap)) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} is no index of shards: it has no "weight_map". Download it again.`,
    )
  }
  // Shards are siblings of their index.
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const shardOf = new Map<string, string>()
  const shards = new Map<string, string[]>()
  for (const [tensor, file] of Object.entries(weightMap)) {
    if (typeof file !== 'string') {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `${path} gives no file for tensor ${JSON.stringify(tensor.slice(0, 200))}.`,
      )
    }
    const shard = normalizePath(folder + file)
    shardOf.set(tensor, shard)
    const tensors = shards.get(shard)
    if (tensors === undefined) shards.set(shard, [tensor])
    else tensors.push(tensor)
  }
  const totalSize = isJsonObject(json.metadata) ? json.metadata.total_size : undefined
  if (totalSize === undefined) return { path, shardOf, shards }
  if (!isSize(totalSize))
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} has a "total_size" that is no size: ${totalSize}.`,
    )
  return { path, shardOf, shards, totalSize }
}
