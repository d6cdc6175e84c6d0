import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import keepBestSource from './keep-best.wgsl?raw'
import orderedSource from './ordered.wgsl?raw'
import { BANNED_SCORE, MAX_STOP_IDS } from './parameters.js'
import randomSource from './random.wgsl?raw'
import source from './sample.wgsl?raw'
import { FLAG_ALL_BANNED, FLAG_FINISHED, FLAG_IDLE, FLAG_NOT_FINITE } from './sequence.js'
import stateSource from './state.wgsl?raw'
import surveySource from './survey.wgsl?raw'

export interface SampleConstants {
  /** Ids in a row of logits, at most 65,535. */
  readonly vocabulary: number
  /** Ids in a slot's history ring. */
  readonly historyCapacity: number
}

export interface SampleBuffers {
  /** Logits of the model, f32 [rows, vocabulary]. */
  readonly logits: GPUBuffer
  /** Logits after penalties, bias and bans, f32 [rows, vocabulary]. */
  readonly scores: GPUBuffer
  /** Occurrences of ids, u32 [slots, vocabulary]; see `countWords`. */
  readonly counts: GPUBuffer
  /** [slots], see `samplingParameterWords`. */
  readonly parameters: GPUBuffer
  /** [slots], see `sequenceWords`. */
  readonly sequences: GPUBuffer
  /** (token, slot, position, prefix length), u32 [rows, 4]. */
  readonly rows: GPUBuffer
  /** Last ids, u32 [slots, historyCapacity]. */
  readonly history: GPUBuffer
  /** Results, u32 [rows, 4]; see `readOutput`. */
  readonly outputs: GPUBuffer
}

/**
 * How the radix selection of keep-best.wgsl is laid out: bits decided by one look at the row, a divisor of 30, and
 * how many ids can be listed. Software adapters take seconds to compile a kernel with much workgroup memory.
 */
const SELECTION = { BIN_BITS: 10, LIST_CAPACITY: 1024 }
const SOFTWARE_SELECTION = { BIN_BITS: 6, LIST_CAPACITY: 64 }

/**
 * Compiles the sampler: draws the next id of each row and advances its sequence.
 * @throws `option.kernel-argument` for sizes below 1 or a vocabulary above 65,535
 */
export async function compileSample(
  gpu: Gpu,
  { vocabulary, historyCapacity }: SampleConstants,
): Promise<Kernel<SampleBuffers>> {
  // Histograms add up 16-bit halves of weights in 32 bits: room for 2^16 of them.
  if (vocabulary < 1 || vocabulary > 65_535) {
    throw kernelArgument('sample', `vocabulary ${vocabulary} is not within 1..65535`)
  }
  if (historyCapacity < 1) throw kernelArgument('sample', 'historyCapacity must be at least 1')
  // One workgroup reads a whole row: the more lanes it has, the more loads are under way.
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = gpu.limits
  const lanes = Math.min(1024, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX)
  const modules = [stateSource, randomSource, orderedSource, surveySource, keepBestSource, source]
  const pipeline = await gpu.compile('sample', modules, {
    u32: {
      ...(gpu.software ? SOFTWARE_SELECTION : SELECTION),
      WORKGROUP_SIZE: gpu.workgroupSize(lanes),
      VOCAB: vocabulary,
      HISTORY_CAPACITY: historyCapacity,
      MAX_STOP_IDS,
      FLAG_FINISHED,
      FLAG_NOT_FINITE,
      FLAG_ALL_BANNED,
      FLAG_IDLE,
    },
    f32: { BANNED_SCORE },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ logits, scores, counts, parameters, sequences, rows, history, outputs }) => [
      logits,
      scores,
      counts,
      parameters,
      sequences,
      rows,
      history,
      outputs,
    ],
    (rowCount) => [rowCount, 1, 1],
  )
}
