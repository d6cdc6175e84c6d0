import { flatWorkgroups, type Gpu, type Specialization } from '../../../gpu/index.js'
import { ACTIVATION_BLOCK } from '../../common/activation-block.js'
import activationBlockSource from '../../common/activation-block.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type LinearOutput,
  outputSpecialization,
  type QkvBuffers,
  qkvBindings,
} from '../../common/linear-output.js'
import { laneReduction, type Reduction, singleLanes } from '../../common/reduce.js'
import type { WeightBuffers } from '../../common/weight.js'
import weightBlockSource from '../../common/weight-block.wgsl?raw'
import { kernelArgument } from '../../errors.js'
import inputNormSource from './input-norm.wgsl?raw'
import inputQuantizedSource from './input-quantized.wgsl?raw'
import source from './linear-decode.wgsl?raw'
import outputQkvSource from './output-qkv.wgsl?raw'
import outputStoreSource from './output-store.wgsl?raw'
import outputSwigluSource from './output-swiglu.wgsl?raw'
import roundBlocksSource from './round-blocks.wgsl?raw'
import roundOctetsSource from './round-octets.wgsl?raw'
import wholeRowsSource from './whole-rows.wgsl?raw'

export interface LinearDecodeConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  /** The input is the RMSNorm of the residual stream, with this epsilon; else it is in 8 bits already. */
  readonly normEpsilon?: number
  readonly output: LinearOutput
}

/** How the product of a decode step is computed. */
export interface LinearDecodeOptions {
  /** Whether every invocation computes its rows alone: fast on software adapters. */
  readonly alone: boolean
}

/** Activations in 8 bits, in the layout of common/activation-block.wgsl. */
export interface ActivationBuffers {
  /** vec4<u32> [elements / 32, 2] */
  readonly blocks: GPUBuffer
  /** vec2<f32> [elements / 32] */
  readonly scales: GPUBuffer
}

export interface LinearDecodeBuffers {
  /** In the q4 format. */
  readonly weight: WeightBuffers
  readonly input:
    | ActivationBuffers
    /** The residual stream, f32 [inFeatures], and the norm's weight, f16 [inFeatures]. */
    | { readonly hidden: GPUBuffer; readonly normWeight: GPUBuffer }
  readonly output:
    | ActivationBuffers
    /** f32 [outFeatures] */
    | { readonly y: GPUBuffer }
    | QkvBuffers
}

const OUTPUT_SOURCES = {
  store: outputStoreSource,
  add: outputStoreSource,
  swiglu: outputSwigluSource,
  qkv: outputQkvSource,
}

/** Blocks of its rows that an invocation loads at once at most: enough loads under way to occupy the memory. */
const MOST_BLOCKS_AT_ONCE = 14
/** Times that a workgroup of many goes through its rows, so that preparing the input weighs less. */
const PASSES_OF_MANY = 4
/** Invocations that round a block together in round-octets.wgsl. */
const OCTET = 8

/** Which kernel computes the rows, and how it deals them out. */
interface Layout {
  readonly source: string
  readonly reduction: Reduction
  /** Rows of an invocation at a time. */
  readonly rows: number
  readonly rowsOfWorkgroup: number
  /** What only this kernel is compiled for. */
  readonly u32?: NonNullable<Specialization['u32']>
}

/** Whether rows are needed by two: a pair that RoPE turns, or a gate and its up. */
function needsPairs({ kind }: LinearOutput): boolean {
  return kind === 'qkv' || kind === 'swiglu'
}

/**
 * Lanes share rows, by measurement on a large card (docs/benchmarks.md): two rows at a time share what is prepared of
 * the input; single rows leave more invocations, and more loads under way.
 */
function sharedRows(gpu: Gpu, constants: LinearDecodeConstants): Layout {
  const { inFeatures, outFeatures, normEpsilon, output } = constants
  const workgroupSize = gpu.workgroupSize(256)
  const reduction = laneReduction(gpu, workgroupSize)
  const lanes = reduction.u32.LANES
  const rows = normEpsilon !== undefined || needsPairs(output) ? 2 : 1
  const blocks = Math.ceil(inFeatures / ACTIVATION_BLOCK / lanes)
  // Software adapters compile for seconds what is unrolled.
  const most = gpu.software ? 1 : MOST_BLOCKS_AT_ONCE / rows
  const AT_ONCE = Math.ceil(blocks / Math.ceil(blocks / most))
  const rowsOfPass = (workgroupSize / lanes) * rows
  const passesOfStored = outFeatures > 16_384 ? PASSES_OF_MANY : 1
  const PASSES = output.kind === 'swiglu' ? (2 * ACTIVATION_BLOCK) / rowsOfPass : passesOfStored
  return { source, reduction, rows, rowsOfWorkgroup: rowsOfPass * PASSES, u32: { AT_ONCE, PASSES } }
}

/** Every invocation computes its rows alone; as many of them as make a block of SwiGLU's 8-bit activations. */
function wholeRows({ output }: LinearDecodeConstants): Layout {
  const rows = needsPairs(output) ? 2 : 1
  return {
    source: wholeRowsSource,
    reduction: singleLanes(ACTIVATION_BLOCK),
    rows,
    rowsOfWorkgroup: ACTIVATION_BLOCK * rows,
  }
}

function bindings({ weight, input, output }: LinearDecodeBuffers): (GPUBuffer | undefined)[] {
  const inputs = 'hidden' in input ? [input.hidden, input.normWeight] : [input.blocks, input.scales]
  let outputs: GPUBuffer[]
  if ('y' in output) outputs = [output.y]
  else if ('qkv' in output) outputs = qkvBindings(output)
  else outputs = [output.blocks, output.scales]
  return [weight.weight, weight.scales, weight.biases, ...inputs, ...outputs]
}

/**
 * Compiles the matrix product of a decode step for one row, with 4-bit weights and 8-bit activations, fused with what
 * comes before (RMSNorm) and after it (residual add, bias and RoPE, or SwiGLU).
 * @throws `option.kernel-argument` for sizes that do not divide into blocks of 32
 */
export async function compileLinearDecode(
  gpu: Gpu,
  constants: LinearDecodeConstants,
  { alone }: LinearDecodeOptions,
): Promise<Kernel<LinearDecodeBuffers>> {
  const { groupSize, inFeatures, outFeatures, normEpsilon, output } = constants
  const isSwiglu = output.kind === 'swiglu'
  if (
    inFeatures % groupSize !== 0 ||
    groupSize % ACTIVATION_BLOCK !== 0 ||
    (isSwiglu && outFeatures % (2 * ACTIVATION_BLOCK) !== 0)
  ) {
    throw kernelArgument('linear-decode', `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`)
  }
  const layout = alone ? wholeRows(constants) : sharedRows(gpu, constants)
  const { reduction } = layout
  const hasNorm = normEpsilon !== undefined
  const hasOctets = reduction.enable.includes('subgroups') && reduction.u32.LANES >= OCTET
  const normSources = [inputNormSource, hasOctets ? roundOctetsSource : roundBlocksSource]
  const modules = [
    ...(hasNorm || isSwiglu ? [activationBlockSource] : []),
    ...(hasNorm ? normSources : [inputQuantizedSource]),
    OUTPUT_SOURCES[output.kind],
    reduction.source,
    weightBlockSource,
    layout.source,
  ]
  const { u32, bool } = outputSpecialization(output)
  const pipeline = await gpu.compile('linear-decode', modules, {
    enable: reduction.enable,
    u32: {
      ...reduction.u32,
      ...layout.u32,
      ...u32,
      IN: inFeatures,
      OUT: outFeatures,
      GROUP_SIZE: groupSize,
      ROWS: layout.rows,
    },
    f32: hasNorm ? { EPSILON: normEpsilon } : {},
    ...(bool && { bool }),
  })
  const workgroups = flatWorkgroups(Math.ceil(outFeatures / layout.rowsOfWorkgroup))
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => bindings(buffers),
    () => workgroups,
  )
}
