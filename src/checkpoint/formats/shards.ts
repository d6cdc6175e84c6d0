import { SinkError } from '../../errors/index.js'
import { SAFETENSORS_INDEX_FILE } from './checkpoint-files.js'
import { isBlockType, storedBytes } from './ggml-types.js'
import { jsonBytes } from './json.js'
import { planSafetensors } from './safetensors.js'
import type { StoredDeclaration, TensorDeclaration } from './tensor-file.js'

/** One file of a sharded checkpoint. */
export interface Shard {
  readonly file: string
  /** Its tensors in the order in which they are to be written. */
  readonly tensors: readonly (StoredDeclaration & { readonly byteLength: number })[]
  /** The bytes of its tensors together. */
  readonly byteLength: number
}

export interface ShardPlan {
  readonly shard: Shard
  /** What precedes the tensors in the file. */
  readonly header: Uint8Array
  /** Where each tensor begins in the file; zeros fill what lies between. */
  readonly offsets: readonly number[]
  readonly fileBytes: number
}

/** How the tensors of a checkpoint lie in its files. */
export interface CheckpointLayout {
  /**
   * Divides tensors among files, in order, each with at most `shardBytes` of them.
   * @throws `sink.write-order` for a name declared twice, a type that the files cannot have, or no bytes at all
   */
  plan(tensors: readonly StoredDeclaration[], shardBytes: number): ShardPlan[]
  /** The file that says where each tensor lies, where there is one. */
  readonly index?: { readonly path: string; content(plans: readonly ShardPlan[]): Uint8Array }
}

/** Shards of safetensors, as Hugging Face's loaders expect them. */
export const SAFETENSORS_LAYOUT: CheckpointLayout = {
  plan: planShards,
  index: {
    path: SAFETENSORS_INDEX_FILE,
    content(plans) {
      const weightMap = plans.flatMap(({ shard: { file, tensors } }) =>
        tensors.map(({ name }) => [name, file] as const),
      )
      const totalSize = plans.reduce((sum, { shard }) => sum + shard.byteLength, 0)
      return jsonBytes({
        metadata: { total_size: totalSize },
        weight_map: Object.fromEntries(weightMap.sort(([a], [b]) => (a < b ? -1 : 1))),
      })
    },
  },
}

/**
 * Splits tensors into groups, in order: a group is full when the next tensor would exceed `shardBytes`. A tensor above
 * that is a group of its own.
 *
 * @throws `sink.write-order` for a name declared twice, or no bytes at all
 */
export function groupTensors<T extends StoredDeclaration>(tensors: readonly T[], shardBytes: number): T[][] {
  if (!(shardBytes > 0)) throw new RangeError(`shardBytes must be above 0, not ${shardBytes}`)
  const names = new Set(tensors.map(({ name }) => name))
  if (names.size !== tensors.length) throw new SinkError('sink.write-order', 'A tensor is declared twice.')
  const groups: T[][] = []
  let filled = 0
  for (const tensor of tensors) {
    const bytes = storedBytes(tensor.dtype, tensor.shape) ?? Number.POSITIVE_INFINITY
    // An empty tensor never begins a shard of its own, as no byte would ever complete it.
    if (groups.length === 0 || (filled > 0 && bytes > 0 && filled + bytes > shardBytes)) {
      groups.push([])
      filled = 0
    }
    groups[groups.length - 1]!.push(tensor)
    filled += bytes
  }
  if (filled === 0)
    throw new SinkError('sink.write-order', 'A checkpoint needs at least one tensor that is not empty.')
  return groups
}

/** @throws `sink.write-order` for a tensor of blocks */
export function ofElements(tensor: StoredDeclaration): TensorDeclaration {
  const { name, dtype, shape } = tensor
  if (!isBlockType(dtype)) return { name, dtype, shape }
  throw new SinkError('sink.write-order', `Tensor ${name} is in blocks of ${dtype}, which only GGUF has.`)
}

/** One shard is called `model.safetensors`, several `model-00001-of-00007.safetensors` and so on. */
function planShards(tensors: readonly StoredDeclaration[], shardBytes: number): ShardPlan[] {
  const groups = groupTensors(tensors.map(ofElements), shardBytes)
  const digits = (number: number) => String(number).padStart(5, '0')
  return groups.map((group, i) => {
    const plan = planSafetensors(group)
    const file =
      groups.length === 1
        ? 'model.safetensors'
        : `model-${digits(i + 1)}-of-${digits(groups.length)}.safetensors`
    const { header, fileBytes } = plan
    const byteLength = fileBytes - header.byteLength
    let offset = header.byteLength
    const offsets = plan.tensors.map((tensor) => {
      offset += tensor.byteLength
      return offset - tensor.byteLength
    })
    return { shard: { file, tensors: plan.tensors, byteLength }, header, offsets, fileBytes }
  })
}
