import { float16ToFloat32, float32ToFloat16 } from '../../../checkpoint/index.js'
import type { ModelConfig } from '../../model/index.js'
import type { HostPrefix } from './prefix.js'
import type { OnnxRuntime, OnnxTensorValue, OnnxValues } from './runtime.js'

const PARTS = ['key', 'value'] as const

/** Names of keys and values, of which a graph takes those of the past and gives back those of past and rows. */
export function cacheNames(layers: number): readonly { readonly past: string; readonly present: string }[] {
  return Array.from({ length: layers }, (_, layer) =>
    PARTS.map((part) => ({
      past: `past_key_values.${layer}.${part}`,
      present: `present.${layer}.${part}`,
    })),
  ).flat()
}

/** The bits of floats, whichever array a runtime has them in: newer ones have one for float16. */
export function halfBits(data: unknown): Uint16Array {
  const { buffer, byteOffset, byteLength } = data as Uint16Array
  return new Uint16Array(buffer, byteOffset, byteLength / 2)
}

/** The floats of a tensor on the host. */
export function floatsOf(data: unknown, element: 'float16' | 'float32'): Float32Array {
  return element === 'float16' ? float16ToFloat32(halfBits(data)) : (data as Float32Array)
}

/** Makes the tensors of keys and values [1, kvGroups, rows, headDim] that a sequence begins with. */
export class PastMaker {
  readonly #runtime: OnnxRuntime
  readonly #config: ModelConfig
  readonly #element: 'float16' | 'float32'

  constructor(runtime: OnnxRuntime, config: ModelConfig, element: 'float16' | 'float32') {
    this.#runtime = runtime
    this.#config = config
    this.#element = element
  }

  /** The keys and values of a prefix, or none. */
  begin(prefix: HostPrefix | undefined): OnnxValues {
    const names = cacheNames(this.#config.layers)
    const length = prefix?.length ?? 0
    return Object.fromEntries(
      names.map(({ past }, index) => {
        const { key, value } = prefix?.layers[index >> 1] ?? {
          key: new Float32Array(0),
          value: new Float32Array(0),
        }
        return [past, this.#tensor(index % 2 === 0 ? key : value, length)]
      }),
    )
  }

  /** The first rows of a past, which is consumed. */
  async truncate(past: OnnxValues, rows: number): Promise<OnnxValues> {
    const { kvGroups, headDim } = this.#config
    const kept: OnnxValues = {}
    for (const [name, tensor] of Object.entries(past)) {
      const floats = floatsOf(await tensor.getData(), this.#element)
      const before = floats.length / kvGroups
      const values = new Float32Array(kvGroups * rows * headDim)
      for (let group = 0; group < kvGroups; group++) {
        values.set(floats.subarray(group * before, group * before + rows * headDim), group * rows * headDim)
      }
      kept[name] = this.#tensor(values, rows)
      tensor.dispose()
    }
    return kept
  }

  #tensor(values: Float32Array, rows: number): OnnxTensorValue {
    const data = this.#element === 'float16' ? float32ToFloat16(values) : values
    const { kvGroups, headDim } = this.#config
    return new this.#runtime.Tensor(this.#element, data, [1, kvGroups, rows, headDim])
  }
}
