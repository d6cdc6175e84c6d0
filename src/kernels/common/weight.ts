import type { Specialization } from '../../gpu/index.js'
import { kernelArgument } from '../errors.js'
import f16Source from './weight-f16.wgsl?raw'
import q4Source from './weight-q4.wgsl?raw'
import q8Source from './weight-q8.wgsl?raw'

/** 4 or 8 bits an element, in groups along the columns that share a scale and a bias. */
export interface QuantizedFormat {
  readonly type: 'q4' | 'q8'
  readonly groupSize: number
}

/** How the elements of a weight [out, in] are stored: dense, or quantized. */
export type WeightFormat = { readonly type: 'f16' } | QuantizedFormat

/** A weight on the GPU, in the layouts of the `weight-*.wgsl` files. */
export interface WeightBuffers {
  readonly weight: GPUBuffer
  /** Quantized formats only. */
  readonly scales?: GPUBuffer
  /** Quantized formats only. */
  readonly biases?: GPUBuffer
}

/** A WGSL module that defines `weight_octet` over bindings 0, 1 and 2, and what its prelude needs. */
export interface WeightReader {
  readonly source: string
  readonly u32: NonNullable<Specialization['u32']>
}

const SOURCES = { f16: f16Source, q4: q4Source, q8: q8Source }

/**
 * The module that reads a weight of `inFeatures` columns.
 * @throws `option.kernel-argument` where the columns do not divide into groups, or into eights
 */
export function weightReader(kernel: string, format: WeightFormat, inFeatures: number): WeightReader {
  const unit = format.type === 'f16' ? 8 : format.groupSize
  if (unit % 8 !== 0 || inFeatures % unit !== 0) {
    throw kernelArgument(kernel, `${inFeatures} input features do not divide into groups of ${unit}`)
  }
  const u32 = { IN: inFeatures, ...(format.type === 'f16' ? {} : { GROUP_SIZE: format.groupSize }) }
  return { source: SOURCES[format.type], u32 }
}

/** The buffers of bindings 0, 1 and 2; dense weights leave 1 and 2 out. */
export function weightBindings({ weight, scales, biases }: WeightBuffers): (GPUBuffer | undefined)[] {
  return [weight, scales, biases]
}
