import activationBlockSource from '../common/activation-block.wgsl?raw'
import type { HeadShape } from '../common/heads.js'
import { laneReduction } from '../common/reduce.js'
import type { WeightBuffers } from '../common/weight.js'
import { type Dispatch, flatWorkgroups } from '../dispatch.js'
import { KernelArgumentError } from '../errors.js'
import type { Gpu } from '../gpu.js'
import type { Specialization } from '../wgsl.js'
import inputNormSource from './input-norm.wgsl?raw'
import inputQuantizedSource from './input-quantized.wgsl?raw'
import source from './linear-decode.wgsl?raw'
import outputQkvSource from './output-qkv.wgsl?raw'
import outputStoreSource from './output-store.wgsl?raw'
import outputSwigluSource from './output-swiglu.wgsl?raw'
import roundBlocksSource from './round-blocks.wgsl?raw'
import roundOctetsSource from './round-octets.wgsl?raw'

export interface LinearDecodeConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  /** The input is the RMSNorm of the residual stream, with this epsilon; else it is in 8 bits already. */
  readonly normEpsilon?: number
  readonly output:
    | { readonly kind: 'store' | 'add' }
    | { readonly kind: 'swiglu' }
    | ({ readonly kind: 'qkv'; readonly hasBias: boolean } & HeadShape)
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
    | {
        /** f16 [outFeatures] */
        readonly bias: GPUBuffer
        /** vec4<u32> [1]: (token, slot, position, prefix length). */
        readonly rows: GPUBuffer
        /** From `ropeTable`. */
        readonly ropeTable: GPUBuffer
        /** f32 [outFeatures] */
        readonly qkv: GPUBuffer
      }
}

const OUTPUT_SOURCES = {
  store: outputStoreSource,
  add: outputStoreSource,
  swiglu: outputSwigluSource,
  qkv: outputQkvSource,
}

/** Elements of a block of 8-bit activations. */
const BLOCK = 32
/** Blocks of its rows that an invocation loads at once at most: enough loads under way to occupy the memory. */
const MOST_BLOCKS_AT_ONCE = 14
/** Times that a workgroup of many goes through its rows, so that preparing the input weighs less. */
const PASSES_OF_MANY = 4
/** Invocations that round a block together in round-octets.wgsl. */
const OCTET = 8

/**
 * How rows and blocks are dealt out, by measurement on a large card (docs/benchmarks.md): two rows at a time share what
 * is prepared of the input; single rows leave more invocations, and more loads under way.
 */
function layoutOf({ inFeatures, normEpsilon, output }: LinearDecodeConstants, lanes: number) {
  const rows = normEpsilon !== undefined || output.kind === 'qkv' || output.kind === 'swiglu' ? 2 : 1
  const blocks = Math.ceil(inFeatures / BLOCK / lanes)
  const chunks = Math.ceil(blocks / (rows === 2 ? MOST_BLOCKS_AT_ONCE / 2 : MOST_BLOCKS_AT_ONCE))
  return { rows, blocksAtOnce: Math.ceil(blocks / chunks) }
}

function outputSpecialization(output: LinearDecodeConstants['output']): Pick<Specialization, 'u32' | 'bool'> {
  if (output.kind !== 'qkv') return { bool: { ACCUMULATE: output.kind === 'add' } }
  const u32 = { HEADS: output.heads, KV_GROUPS: output.kvGroups, HEAD_DIM: output.headDim }
  return { u32, bool: { HAS_BIAS: output.hasBias } }
}

function bindings({ weight, input, output }: LinearDecodeBuffers): (GPUBuffer | undefined)[] {
  const inputs = 'hidden' in input ? [input.hidden, input.normWeight] : [input.blocks, input.scales]
  let outputs: GPUBuffer[]
  if ('y' in output) outputs = [output.y]
  else if ('qkv' in output) outputs = [output.bias, output.rows, output.ropeTable, output.qkv]
  else outputs = [output.blocks, output.scales]
  return [weight.weight, weight.scales, weight.biases, ...inputs, ...outputs]
}

/**
 * Compiles the matrix product of a decode step for one row, with 4-bit weights and 8-bit activations, fused with what
 * comes before (RMSNorm) and after it (residual add, bias and RoPE, or SwiGLU).
 * @throws KernelArgumentError for sizes that do not divide into blocks of 32
 */
export async function compileLinearDecode(
  gpu: Gpu,
  constants: LinearDecodeConstants,
): Promise<(label: string, buffers: LinearDecodeBuffers) => Dispatch> {
  const { groupSize, inFeatures, outFeatures, normEpsilon, output } = constants
  const isSwiglu = output.kind === 'swiglu'
  if (
    inFeatures % groupSize !== 0 ||
    groupSize % BLOCK !== 0 ||
    (isSwiglu && outFeatures % (2 * BLOCK) !== 0)
  ) {
    throw new KernelArgumentError(
      'linear-decode',
      `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`,
    )
  }
  const workgroupSize = gpu.workgroupSize(256)
  const reduction = laneReduction(gpu, workgroupSize)
  const lanes = reduction.u32.LANES
  // Software adapters compile for seconds what is unrolled, and have no memory to keep busy.
  const { rows, blocksAtOnce } = layoutOf(constants, gpu.software ? inFeatures : lanes)
  const rowsPerPass = (workgroupSize / lanes) * rows
  const passesOfOutput = isSwiglu ? (2 * BLOCK) / rowsPerPass : outFeatures > 16_384 ? PASSES_OF_MANY : 1
  const { u32, bool } = outputSpecialization(output)
  const hasNorm = normEpsilon !== undefined
  const hasOctets = reduction.enable.includes('subgroups') && lanes >= OCTET
  const normSources = [inputNormSource, hasOctets ? roundOctetsSource : roundBlocksSource]
  const modules = [
    ...(hasNorm || isSwiglu ? [activationBlockSource] : []),
    ...(hasNorm ? normSources : [inputQuantizedSource]),
    OUTPUT_SOURCES[output.kind],
    reduction.source,
    source,
  ]
  const pipeline = await gpu.compile('linear-decode', modules, {
    enable: reduction.enable,
    u32: {
      ...reduction.u32,
      ...u32,
      IN: inFeatures,
      OUT: outFeatures,
      GROUP_SIZE: groupSize,
      ROWS: rows,
      AT_ONCE: blocksAtOnce,
      PASSES: passesOfOutput,
    },
    f32: hasNorm ? { EPSILON: normEpsilon } : {},
    ...(bool && { bool }),
  })
  const workgroups = flatWorkgroups(Math.ceil(outFeatures / rowsPerPass / passesOfOutput))
  return (label, buffers) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, bindings(buffers)),
    workgroups: () => workgroups,
  })
}
