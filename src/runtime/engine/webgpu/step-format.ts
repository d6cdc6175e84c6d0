/** The forms of activations between the products of fused plans of several rows. */
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  ACTIVATION_BLOCK,
  type ActivationBuffers,
  compileLinearHalves,
  compileLinearStepDots,
  compileNormBlocks,
  compileNormHalves,
  compileRoundActivations,
  HALF_TILE_STEP,
  halfTileBytes,
  type LinearHalvesBuffers,
  type LinearStepDotsBuffers,
  type LinearStepDotsConstants,
} from '../../../kernels/index.js'
import type { LinearWeight } from '../../model/index.js'
import type { Activations } from './forward.js'

/** What becomes of the output of a product. */
export type StepOutput = LinearStepDotsConstants['output']

/** Where the output of a product goes. */
export type StepTarget = LinearStepDotsBuffers['output']

/** A norm of rows of the residual stream. */
export interface StepNorm {
  readonly label: string
  readonly epsilon: number
  readonly width: number
  /** f32 [rows, width] */
  readonly x: GPUBuffer
  /** f16 [width] */
  readonly weight: GPUBuffer
}

/** What goes into a product. */
export type FormName = 'normed' | 'attended' | 'activated'

/** Activations of a form, and how they are made and multiplied. */
export interface StepFormat<Form> {
  /** Room for rows of activations. */
  allocate(gpu: Gpu, label: FormName, rows: number, width: number): Form
  norm(gpu: Gpu, norm: StepNorm, y: Form): Promise<Dispatch[]>
  /** A product of `rows` rows, which may be fewer than there is room for. */
  product(
    gpu: Gpu,
    weight: LinearWeight,
    rows: number,
    x: Form,
    output: StepOutput,
    target: StepTarget,
  ): Promise<Dispatch[]>
  /** A product with SwiGLU behind it. @param scratch f32 [rows, outFeatures / 2] */
  swiglu(
    gpu: Gpu,
    weight: LinearWeight,
    rows: number,
    x: Form,
    y: Form,
    scratch: GPUBuffer,
  ): Promise<Dispatch[]>
}

function constantsOf({ slices: [{ format }], inFeatures, outFeatures }: LinearWeight) {
  return { groupSize: format.type === 'f16' ? 0 : format.groupSize, inFeatures, outFeatures }
}

/** In 8 bits, for integer dot products. */
export const BLOCKS: StepFormat<ActivationBuffers> = {
  allocate: (gpu, label, rows, width) => ({
    blocks: gpu.allocate('activations', `${label} in 8 bits`, rows * width),
    scales: gpu.allocate('activations', `${label} scales`, ((rows * width) / ACTIVATION_BLOCK) * 8),
  }),
  norm: async (gpu, { label, x, weight, ...constants }, output) => {
    const kernel = await compileNormBlocks(gpu, constants)
    return kernel.bind(label, { x, weight, output })
  },
  product: async (gpu, weight, rows, input, output, target) => {
    const kernel = await compileLinearStepDots(gpu, { ...constantsOf(weight), output, rows })
    return kernel.bind(weight.name, { weight: weight.slices[0].buffers, input, output: target })
  },
  swiglu: async (gpu, weight, rows, input, output, y) => {
    const elements = (rows * weight.outFeatures) / 2
    const [product, round] = await Promise.all([
      BLOCKS.product(gpu, weight, rows, input, { kind: 'swiglu' }, { y }),
      compileRoundActivations(gpu, { elements }),
    ])
    return [...product, ...round.bind('activated in 8 bits', { x: y, output })]
  },
}

/** Activations in f16, in the tiles of kernels/common/half-tiles.wgsl. */
export interface Halves {
  readonly halves: GPUBuffer
}

/**
 * In f16, for subgroup matrices.
 * @param buffers of the plain plan, which is never computed at the same time: some of them serve as scratch
 * @param reuse whether its activations lend their room to those in f16, too
 */
export function halvesFormat(buffers: Activations, reuse: boolean): StepFormat<Halves> {
  const parts = buffers.gateUp
  const product = async (
    gpu: Gpu,
    weight: LinearWeight,
    maxRows: number,
    { halves }: Halves,
    output: StepOutput,
    target: LinearHalvesBuffers['output'],
  ) => {
    const constants = { ...constantsOf(weight), output, maxRows, partsBytes: parts.size }
    const kernel = await compileLinearHalves(gpu, constants)
    return kernel.bind(weight.name, {
      weight: weight.slices[0].buffers,
      x: halves,
      output: target,
      parts,
    })
  }
  return {
    allocate: (gpu, label, rows, width) => {
      const bytes = halfTileBytes(rows, width)
      // What pads a row must be zero, and stay so.
      const padded = width % HALF_TILE_STEP !== 0
      if (reuse && !padded && buffers[label].size >= bytes) return { halves: buffers[label] }
      return { halves: gpu.allocate('activations', `${label} in f16`, bytes) }
    },
    norm: async (gpu, { label, x, weight, ...constants }, { halves }) => {
      const kernel = await compileNormHalves(gpu, constants)
      return kernel.bind(label, { x, weight, y: halves })
    },
    product,
    swiglu: (gpu, weight, rows, x, y) => product(gpu, weight, rows, x, { kind: 'swiglu' }, y),
  }
}
