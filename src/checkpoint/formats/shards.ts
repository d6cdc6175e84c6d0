import { SinkError } from '../../errors/index.js'
import { tensorBytes } from './dtype.js'
import { planSafetensors } from './safetensors.js'
import type { TensorDeclaration } from './tensor-file.js'

/** One file of a sharded checkpoint. */
export interface Shard {
  readonly file: string
  /** Its tensors in the order in which they are to be written. */
  readonly tensors: readonly (TensorDeclaration & { readonly byteLength: number })[]
  /** The bytes of its tensors together. */
  readonly byteLength: number
}

export interface ShardPlan {
  readonly shard: Shard
  /** What precedes the tensors in the file. */
  readonly header: Uint8Array
  readonly fileBytes: number
}

/**
 * Splits tensors into shards, in order: a shard is full when the next tensor would exceed `shardBytes`. One
 * shard is called `model.safetensors`, several `model-00001-of-00007.safetensors` and so on, as Hugging Face's
 * loaders expect.
 *
 * @throws `sink.write-order` for a name declared twice, or no bytes at all
 */
export function planShards(tensors: readonly TensorDeclaration[], shardBytes: number): ShardPlan[] {
  if (!(shardBytes > 0)) throw new RangeError(`shardBytes must be above 0, not ${shardBytes}`)
  const names = new Set(tensors.map(({ name }) => name))
  if (names.size !== tensors.length) throw new SinkError('sink.write-order', 'A tensor is declared twice.')
  const groups: TensorDeclaration[][] = []
  let filled = 0
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor.dtype, tensor.shape) ?? Number.POSITIVE_INFINITY
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
  const digits = (number: number) => String(number).padStart(5, '0')
  return groups.map((group, i) => {
    const plan = planSafetensors(group)
    const file =
      groups.length === 1
        ? 'model.safetensors'
        : `model-${digits(i + 1)}-of-${digits(groups.length)}.safetensors`
    const byteLength = plan.fileBytes - plan.header.byteLength
    return {
      shard: { file, tensors: plan.tensors, byteLength },
      header: plan.header,
      fileBytes: plan.fileBytes,
    }
  })
}
