import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import { BANNED_SCORE, MAX_STOP_IDS } from '../sample/parameters.js'
import stateSource from '../sample/state.wgsl?raw'
import source from './ban-sequences.wgsl?raw'

export interface BanSequencesConstants {
  /** Ids in a row of scores. */
  readonly vocabulary: number
  /** Ids in a slot's history ring. */
  readonly historyCapacity: number
  /** Words of a slot's table of banned sequences. */
  readonly bannedCapacity: number
}

export interface BanSequencesBuffers {
  /** (token, slot, position, prefix length), u32 [rows, 4]. */
  readonly rows: GPUBuffer
  /** u32 [slots, bannedCapacity], see `bannedSequenceWords`. */
  readonly banned: GPUBuffer
  /** Last ids, u32 [slots, historyCapacity]. */
  readonly history: GPUBuffer
  /** [slots], see `sequenceWords`. */
  readonly sequences: GPUBuffer
  /** In and out, f32 [rows, vocabulary]. */
  readonly scores: GPUBuffer
}

/**
 * A slot's entry of the `banned` buffer: the number of sequences, where each starts, where the last ends, their ids.
 * @throws `option.kernel-argument` for an empty sequence, one too long for the history, or an id outside the vocabulary
 */
export function bannedSequenceWords(
  sequences: readonly (readonly number[])[],
  { vocabulary, historyCapacity }: Omit<BanSequencesConstants, 'bannedCapacity'>,
): Uint32Array<ArrayBuffer> {
  for (const ids of sequences) {
    if (ids.length < 1 || ids.length > historyCapacity + 1) {
      throw kernelArgument('ban-sequences', `a sequence has ${ids.length} ids, not 1..${historyCapacity + 1}`)
    }
    const outside = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary))
    if (outside !== undefined) {
      throw kernelArgument('ban-sequences', `id ${outside} is not within the vocabulary of ${vocabulary}`)
    }
  }
  const starts = [sequences.length + 2]
  for (const ids of sequences) starts.push(starts[starts.length - 1] + ids.length)
  return Uint32Array.from([sequences.length, ...starts, ...sequences.flat()])
}

/** Compiles the ban of sequences of ids: it bans the id that would complete one of them. */
export async function compileBanSequences(
  gpu: Gpu,
  { vocabulary, historyCapacity, bannedCapacity }: BanSequencesConstants,
): Promise<Kernel<BanSequencesBuffers>> {
  const pipeline = await gpu.compile('ban-sequences', [stateSource, source], {
    u32: {
      WORKGROUP_SIZE: gpu.workgroupSize(64),
      VOCAB: vocabulary,
      HISTORY_CAPACITY: historyCapacity,
      BANNED_CAPACITY: bannedCapacity,
      MAX_STOP_IDS,
    },
    f32: { BANNED_SCORE },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, banned, history, sequences, scores }) => [rows, banned, history, sequences, scores],
    (count) => [count, 1, 1],
  )
}
