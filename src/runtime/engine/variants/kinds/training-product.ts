import type { Gpu } from '../../../../gpu/index.js'
import {
  canRunMatmulSubgroup,
  compileMatmul,
  compileMatmulSubgroup,
  compileMatmulTransposed,
  compileMatmulTransposedSubgroup,
  type Kernel,
  type LinearBuffers,
  type LinearConstants,
  type ScratchKernel,
  type TransposedBuffers,
  type TransposedConstants,
} from '../../../../kernels/index.js'
import { allProducts, type TrainingVariants } from '../../../model/index.js'
import { unless, type VariantEntry, type VariantKind } from '../kind.js'

/** A product of a training pass, and the way back through it. */
export interface BuildTraining {
  readonly forward: (gpu: Gpu, constants: LinearConstants) => Promise<Kernel<LinearBuffers>>
  readonly backward: (gpu: Gpu, constants: TransposedConstants) => Promise<ScratchKernel<TransposedBuffers>>
}

/** In tiles, as in prompts; gradients are in f32. */
const tiled = (element: 'f16' | 'f32'): BuildTraining => ({
  forward: (gpu, constants) => compileMatmul(gpu, constants, { element, alone: gpu.software }),
  backward: (gpu, constants) => compileMatmulTransposed(gpu, constants, { alone: gpu.software }),
})

/** Products with frozen weights in training, forward and backward. */
export const TRAINING_PRODUCT: VariantKind<
  TrainingVariants['trainingProduct'],
  VariantEntry<BuildTraining>
> = {
  unit: 'ms a layer',
  firstOnSoftware: 'float32',
  unmeasured: 'the first that is possible: a training measures nothing',
  compiledBy: 'training',
  entries: {
    'subgroup-matrix': {
      needs: ({ gpu, shape }) => {
        const formats = allProducts(shape).flatMap(({ slices }) => slices.map(({ format }) => format))
        return unless(
          formats.every((format) => canRunMatmulSubgroup(gpu, { format })),
          'shader-f16, subgroup matrices of f16 with f32 sums, and 20 kB of workgroup memory',
        )
      },
      build: { forward: compileMatmulSubgroup, backward: compileMatmulTransposedSubgroup },
    },
    float16: { needs: ({ gpu }) => unless(gpu.f16, 'shader-f16'), build: tiled('f16') },
    float32: { build: tiled('f32') },
  },
}
