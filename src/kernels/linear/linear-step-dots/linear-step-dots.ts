import { flatWorkgroups, type Gpu } from '../../../gpu/index.js'
import { ACTIVATION_BLOCK } from '../../common/activation-block.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type LinearOutput,
  outputSpecialization,
  type QkvBuffers,
  qkvBindings,
} from '../../common/linear-output.js'
import { laneReduction } from '../../common/reduce.js'
import turnFourSource from '../../common/turn-four.wgsl?raw'
import type { WeightBuffers } from '../../common/weight.js'
import weightBlockSource from '../../common/weight-block.wgsl?raw'
import { kernelArgument } from '../../errors.js'
import type { ActivationBuffers } from '../linear-decode/linear-decode.js'
import source from './linear-step-dots.wgsl?raw'
import outputQkvSource from './output-qkv.wgsl?raw'
import outputStoreSource from './output-store.wgsl?raw'
import outputSwigluSource from './output-swiglu.wgsl?raw'

export interface LinearStepDotsConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly output: LinearOutput
  /** Rows that are computed, 1 to 8, whatever the number of rows dispatched: the buffers have room for them. */
  readonly rows: number
}

export interface LinearStepDotsBuffers {
  /** In the q4 format. */
  readonly weight: WeightBuffers
  /** 8-bit activations [rows, inFeatures]. */
  readonly input: ActivationBuffers
  readonly output:
    | {
        /** f32 [rows, outFeatures]; with SwiGLU [rows, outFeatures / 2]. */
        readonly y: GPUBuffer
      }
    | QkvBuffers
}

/** The most rows that the kernel is made for. */
export const STEP_DOTS_MAX_ROWS = 8
/** Rows that a group of lanes has registers for. */
const GROUP_ROWS = 4
/** Outputs that a group of lanes computes. */
const OUTPUTS = 4

const OUTPUT_SOURCES = {
  store: [outputStoreSource],
  add: [outputStoreSource],
  swiglu: [outputSwigluSource],
  qkv: [turnFourSource, outputQkvSource],
}

/** Columns from which on lanes have work enough to load two blocks at a time. */
const LONG = 8192

/** How rows are dealt out, by measurement on a large card (docs/benchmarks.md). */
function layout(gpu: Gpu, rows: number, inFeatures: number) {
  const workgroupSize = gpu.workgroupSize(128)
  const reduction = laneReduction(gpu, workgroupSize)
  const groups = workgroupSize / reduction.u32.LANES
  const rowGroups = rows > GROUP_ROWS && rows % 2 === 0 && groups % 2 === 0 ? 2 : 1
  return {
    reduction,
    rowGroups,
    outputsOfWorkgroup: (groups / rowGroups) * OUTPUTS,
    atOnce: rows === GROUP_ROWS && inFeatures > LONG ? 2 : 1,
  }
}

/** Whether the sizes of a 4-bit weight divide into blocks, and its outputs into eights. */
export function canRunLinearStepDots({
  groupSize,
  inFeatures,
  outFeatures,
}: Pick<LinearStepDotsConstants, 'groupSize' | 'inFeatures' | 'outFeatures'>): boolean {
  return inFeatures % groupSize === 0 && groupSize % ACTIVATION_BLOCK === 0 && outFeatures % 8 === 0
}

function outputBindings(output: LinearStepDotsBuffers['output']): GPUBuffer[] {
  if ('y' in output) return [output.y]
  return qkvBindings(output)
}

/**
 * Compiles the matrix product of a step of a few rows in integer dot products, with 4-bit weights and 8-bit activations,
 * fused with what comes after it: residual add, bias and RoPE, or SwiGLU.
 * @throws `option.kernel-argument` for sizes that do not divide into blocks of 32, or more than 8 rows
 */
export async function compileLinearStepDots(
  gpu: Gpu,
  constants: LinearStepDotsConstants,
): Promise<Kernel<LinearStepDotsBuffers>> {
  const { groupSize, inFeatures, outFeatures, output, rows } = constants
  if (!canRunLinearStepDots(constants)) {
    throw kernelArgument('linear-step-dots', `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`)
  }
  if (rows < 1 || rows > STEP_DOTS_MAX_ROWS) throw kernelArgument('linear-step-dots', `${rows} rows`)
  const { reduction, rowGroups, outputsOfWorkgroup, atOnce } = layout(gpu, rows, inFeatures)
  const modules = [...OUTPUT_SOURCES[output.kind], reduction.source, weightBlockSource, source]
  const { u32, bool } = outputSpecialization(output)
  const pipeline = await gpu.compile('linear-step-dots', modules, {
    enable: reduction.enable,
    u32: {
      ...reduction.u32,
      ...u32,
      IN: inFeatures,
      OUT: outFeatures,
      GROUP_SIZE: groupSize,
      STEP_ROWS: rows / rowGroups,
      ROW_GROUPS: rowGroups,
      AT_ONCE: atOnce,
    },
    ...(bool && { bool }),
  })
  const workgroups = flatWorkgroups(Math.ceil(outFeatures / outputsOfWorkgroup))
  return dispatchKernel(
    gpu,
    pipeline,
    ({ weight, input, output }) => [
      weight.weight,
      weight.scales,
      weight.biases,
      input.blocks,
      input.scales,
      ...outputBindings(output),
    ],
    () => workgroups,
  )
}
