import { float32ToFloat16, type TensorDeclaration } from '../src/checkpoint/index.js'
import { type ModelConfig, modelTensors, type TensorSpec, tensorList } from '../src/runtime/model/index.js'
import { bytesOf } from './bytes-of.js'
import { initialDistribution } from './initial-weights.js'
import type { ChunkMaker } from './normal-chunks.js'

/** A buffer of the official model: stored with the weights, never used. */
const ROTARY_FREQUENCIES = 'transformer.rotary_pos_emb.inv_freq'

/** Large enough that handing one to a thread costs nothing, small enough for its cache. */
const CHUNK_BYTES = 2 ** 20

/** All tensors of a float16 checkpoint as the official ones have them, in their order. */
export function checkpointTensors(config: ModelConfig): TensorDeclaration[] {
  const [embedding, ...others] = tensorList(modelTensors(config))
  const frequencies = { name: ROTARY_FREQUENCIES, shape: [config.headDim / 4] }
  return [embedding, frequencies, ...others].map(({ name, shape }) => ({ name, shape, dtype: 'F16' }))
}

/** Part of a tensor. */
interface TensorPart {
  readonly name: string
  /** Valid until the next part is asked for. */
  readonly bytes: Uint8Array
}

/**
 * The contents of a synthetic checkpoint, tensor by tensor in parts: random weights of ordinary size. They depend on
 * the seed and the shapes alone.
 *
 * @param tensors of `checkpointTensors`, in any order
 */
export async function* tensorContents(
  tensors: readonly TensorSpec[],
  config: ModelConfig,
  seed: number,
  maker: ChunkMaker,
): AsyncGenerator<TensorPart, void, undefined> {
  const memory = Array.from({ length: maker.parallel }, () => new ArrayBuffer(CHUNK_BYTES))
  const underWay: { name: string; bytes: Promise<Uint8Array<ArrayBuffer>> }[] = []
  const parts = tensorParts(tensors)
  for (;;) {
    while (memory.length > 0) {
      const next = parts.next()
      if (next.done) break
      underWay.push({ name: next.value.tensor.name, bytes: make(next.value, memory.pop()!) })
    }
    const first = underWay.shift()
    if (first === undefined) return
    const bytes = await first.bytes
    yield { name: first.name, bytes }
    memory.push(bytes.buffer)
  }

  async function make({ tensor, offset, byteLength }: Range, into: ArrayBuffer) {
    if (tensor.name === ROTARY_FREQUENCIES) {
      const target = new Uint8Array(into, 0, byteLength)
      target.set(rotaryFrequencies(config).subarray(offset, offset + byteLength))
      return target
    }
    const distribution = initialDistribution(tensor, config)
    return maker.make({ distribution, seed, label: `${tensor.name}@${offset}`, byteLength }, into)
  }
}

interface Range {
  readonly tensor: TensorSpec
  readonly offset: number
  readonly byteLength: number
}

function* tensorParts(tensors: readonly TensorSpec[]): Generator<Range, void, undefined> {
  for (const tensor of tensors) {
    const bytes = 2 * tensor.shape.reduce((product, size) => product * size, 1)
    for (let offset = 0; offset < bytes; offset += CHUNK_BYTES) {
      yield { tensor, offset, byteLength: Math.min(CHUNK_BYTES, bytes - offset) }
    }
  }
}

/** base^(-2i/d), where d = headDim / 2 elements of a head rotate, as float16. */
function rotaryFrequencies({ headDim, ropeBase }: ModelConfig): Uint8Array {
  const rotated = headDim / 2
  const frequencies = Float32Array.from({ length: rotated / 2 }, (_, i) => ropeBase ** ((-2 * i) / rotated))
  return bytesOf(float32ToFloat16(frequencies))
}
