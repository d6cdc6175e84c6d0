import { canRunTrainingAttentionSubgroup, type TrainingAttentionOptions } from '../../../../kernels/index.js'
import type { TrainingVariants } from '../../../model/index.js'
import { unless, type VariantEntry, type VariantKind } from '../kind.js'

/** Attention in training, forward and backward: with what is multiplied rounded to f16, or in f32. */
export const TRAINING_ATTENTION: VariantKind<
  TrainingVariants['trainingAttention'],
  VariantEntry<TrainingAttentionOptions>
> = {
  unit: 'ms a layer',
  firstOnSoftware: 'tiled',
  unmeasured: 'the first that is possible: a training measures nothing',
  compiledBy: 'training',
  entries: {
    'subgroup-matrix': {
      needs: ({ gpu, config }) =>
        unless(
          canRunTrainingAttentionSubgroup(gpu, config),
          'shader-f16, subgroup matrices of 16 x 16 x 16, 32 kB of workgroup memory, and heads of 128',
        ),
      build: { onMatrices: true },
    },
    // Also where sequences are packed, which the other cannot.
    tiled: { build: { onMatrices: false } },
  },
}
