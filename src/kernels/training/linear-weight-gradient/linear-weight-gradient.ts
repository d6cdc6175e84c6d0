import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './linear-weight-gradient.wgsl?raw'
import scalarSource from './quads-scalar.wgsl?raw'
import vec4Source from './quads-vec4.wgsl?raw'

export interface LinearWeightGradientConstants {
  readonly inFeatures: number
  readonly outFeatures: number
}

export interface LinearWeightGradientBuffers {
  /** Gradient of the layer's output, f32 [any, outFeatures]. */
  readonly dy: BufferRange
  /** The layer's input, f32 [any, inFeatures]. */
  readonly x: BufferRange
  /** u32 [1]: rows of dy and x that count; those behind them are not read. */
  readonly rows: BufferRange
  /** f32 [1]: what the gradient is multiplied by before it is added. */
  readonly scale: GPUBuffer
  /** Gradient of the weight, f32 [outFeatures, inFeatures], added to. */
  readonly dw: GPUBuffer
}

/** Invocations in the two directions of a tile, and rows that it takes at a time; an invocation has 4 x 4 sums. */
interface Tile {
  readonly threadsOut: number
  readonly threadsIn: number
  readonly depth: number
}

const LARGE: Tile = { threadsOut: 16, threadsIn: 16, depth: 16 }
/** More workgroups, where large tiles would leave processors of a large GPU without one. */
const SMALL: Tile = { threadsOut: 8, threadsIn: 8, depth: 16 }
/** Software adapters unroll the loop over the depth, and compile for seconds where it is deep. */
const SOFTWARE: Tile = { threadsOut: 8, threadsIn: 4, depth: 8 }

const ENOUGH_WORKGROUPS = 256

function tiles({ threadsOut, threadsIn }: Tile, constants: LinearWeightGradientConstants) {
  const { inFeatures, outFeatures } = constants
  return [Math.ceil(inFeatures / (4 * threadsIn)), Math.ceil(outFeatures / (4 * threadsOut)), 1] as const
}

function chooseTile(gpu: Gpu, constants: LinearWeightGradientConstants): Tile {
  if (gpu.software) return SOFTWARE
  const [x, y] = tiles(LARGE, constants)
  return x * y < ENOUGH_WORKGROUPS ? SMALL : LARGE
}

/**
 * Compiles the gradient of the weight of a linear layer, dw[o, i] += scale * sum_r dy[r, o] * x[r, i]. The order of
 * additions is always the same. Ranges begin at a multiple of 256 bytes.
 * @throws `option.kernel-argument` where a size is no positive integer
 */
export async function compileLinearWeightGradient(
  gpu: Gpu,
  constants: LinearWeightGradientConstants,
): Promise<Kernel<LinearWeightGradientBuffers>> {
  const { inFeatures, outFeatures } = constants
  if (![inFeatures, outFeatures].every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw kernelArgument('linear-weight-gradient', `sizes of ${inFeatures} and ${outFeatures}`)
  }
  const tile = chooseTile(gpu, constants)
  const inQuads = inFeatures % 4 === 0 && outFeatures % 4 === 0
  const pipeline = await gpu.compile(
    'linear-weight-gradient',
    [inQuads ? vec4Source : scalarSource, source],
    {
      u32: {
        IN: inFeatures,
        OUT: outFeatures,
        THREADS_OUT: tile.threadsOut,
        THREADS_IN: tile.threadsIn,
        TILE_DEPTH: tile.depth,
      },
    },
  )
  const workgroups = tiles(tile, constants)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ dy, x, rows, scale, dw }) => [dy, x, rows, scale, dw],
    () => workgroups,
  )
}
