import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { BANNED_SCORE, MAX_STOP_IDS } from '../sample/parameters.js'
import stateSource from '../sample/state.wgsl?raw'
import { PROMPT_FLAG } from './counts.js'
import source from './penalize.wgsl?raw'

export interface PenalizeConstants {
  /** Ids in a row of logits. */
  readonly vocabulary: number
}

export interface PenalizeBuffers {
  /** (token, slot, position, prefix length), u32 [rows, 4]. */
  readonly rows: GPUBuffer
  /** Logits of the model, f32 [rows, vocabulary]. */
  readonly logits: GPUBuffer
  /** Occurrences of ids, u32 [slots, vocabulary]; see `countWords`. */
  readonly counts: GPUBuffer
  /** Added to the logits, f32 [slots, vocabulary]; see `logitBiasFloats`. */
  readonly logitBias: GPUBuffer
  /** [slots], see `samplingParameterWords`. */
  readonly parameters: GPUBuffer
  /** Ids that may come next, u32 [slots, maskWords(vocabulary)]. */
  readonly masks: GPUBuffer
  /** Output, f32 [rows, vocabulary]. */
  readonly scores: GPUBuffer
}

/** 32-bit words of a slot's line of `masks`, a bit for each id. */
export function maskWords(vocabulary: number): number {
  return Math.ceil(vocabulary / 32)
}

/** Compiles the penalties on repeated ids, the bias and the mask: logits -> scores, which leaves the logits as they are. */
export async function compilePenalize(
  gpu: Gpu,
  { vocabulary }: PenalizeConstants,
): Promise<Kernel<PenalizeBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('penalize', [stateSource, source], {
    u32: {
      WORKGROUP_SIZE: workgroupSize,
      VOCAB: vocabulary,
      MASK_WORDS: maskWords(vocabulary),
      MAX_STOP_IDS,
      PROMPT_FLAG,
    },
    f32: { BANNED_SCORE },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, logits, counts, logitBias, parameters, masks, scores }) => [
      rows,
      logits,
      counts,
      logitBias,
      parameters,
      masks,
      scores,
    ],
    (count) => [Math.ceil(vocabulary / workgroupSize), count, 1],
  )
}
