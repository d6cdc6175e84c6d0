import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import randomSource from '../../sampling/sample/random.wgsl?raw'
import source from './prefix-dropout.wgsl?raw'

export interface PrefixDropoutConstants {
  readonly layers: number
  /** Elements of a prefix row for one layer: its keys and values. */
  readonly layerWidth: number
  /** Elements from one layer to the next in `layers`; at least rows * layerWidth. */
  readonly layerStride: number
}

export interface PrefixDropoutBuffers {
  /** From `prefixDropoutWords`. */
  readonly parameters: GPUBuffer
  /** The encoder's rows or their gradient, f32 [prefix rows, layers * layerWidth]. */
  readonly rows: GPUBuffer
  /** The same layer by layer, f32 [layers, layerStride]: [prefix rows, layerWidth] at the beginning of each line. */
  readonly layers: GPUBuffer
}

/**
 * The parameters of both directions, 4 words.
 * @param probability with which an element is dropped, from 0 on and below 1
 * @param gradientScale what gradients are multiplied by on their way back
 */
export function prefixDropoutWords(
  probability: number,
  seed: number,
  gradientScale: number,
): Uint32Array<ArrayBuffer> {
  if (!(probability >= 0 && probability < 1)) {
    throw kernelArgument('prefix-dropout', `a probability of ${probability}`)
  }
  const words = new Uint32Array(4)
  words[0] = seed
  words[1] = Math.min(2 ** 32 - 1, Math.round(probability * 2 ** 32))
  new Float32Array(words.buffer).set([1 / (1 - probability), gradientScale], 2)
  return words
}

async function compile(
  gpu: Gpu,
  constants: PrefixDropoutConstants,
  backward: boolean,
): Promise<Kernel<PrefixDropoutBuffers>> {
  const { layers, layerWidth, layerStride } = constants
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('prefix-dropout', [randomSource, source], {
    u32: {
      LAYERS: layers,
      LAYER_WIDTH: layerWidth,
      LAYER_STRIDE: layerStride,
      WORKGROUP_SIZE: workgroupSize,
    },
    bool: { BACKWARD: backward },
  })
  const workgroups = Math.ceil((layers * layerWidth) / workgroupSize)
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => [buffers.parameters, buffers.rows, buffers.layers],
    (rows) => [workgroups, rows, 1],
  )
}

/** Compiles dropout of a prefix encoder's rows on their way to the layers. Its rows are those of the prefix. */
export function compilePrefixDropout(
  gpu: Gpu,
  constants: PrefixDropoutConstants,
): Promise<Kernel<PrefixDropoutBuffers>> {
  return compile(gpu, constants, false)
}

/** Compiles the way back: gradients of the layers' prefixes are scaled, masked alike, and added to those of the rows. */
export function compilePrefixDropoutBackward(
  gpu: Gpu,
  constants: PrefixDropoutConstants,
): Promise<Kernel<PrefixDropoutBuffers>> {
  return compile(gpu, constants, true)
}
