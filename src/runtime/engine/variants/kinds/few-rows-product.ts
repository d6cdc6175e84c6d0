import type { Dispatch } from '../../../../gpu/index.js'
import { compileMatvec, MATVEC_MAX_ROWS } from '../../../../kernels/index.js'
import { buildProducts } from '../../webgpu/forward.js'
import { buildSlices, type LinearOperands } from '../../webgpu/linear.js'
import { type TrialBuffers, unless, type VariantEntry, type VariantKind } from '../kind.js'
import {
  type ManyRowsContext,
  type ManyRowsProduct,
  PREFILL_PRODUCT,
  withoutRounding,
} from './prefill-product.js'

/** What products of steps are computed with. */
export interface FewRowsContext extends ManyRowsContext {
  /** The variant of the product for many rows. */
  readonly many: ManyRowsProduct
}

type Build = (context: FewRowsContext, operands: LinearOperands) => Promise<Dispatch[]>
export type FewRowsProduct = 'matvec' | 'many-rows'

interface FewRowsEntry extends VariantEntry<Build> {
  /**
   * The numbers of rows, besides 1 and the most that there can be, that kernels are built for; other steps take the next
   * larger. Where kernels are indifferent to the number of rows there are none, so that few are compiled.
   */
  readonly buckets: readonly number[]
}

/** The products of a layer for as many rows as a step can have. */
async function trial({ context, decode, quantized }: TrialBuffers, build: Build) {
  const { gpu } = context
  const product = (operands: LinearOperands) => build({ gpu, quantized, many: 'float32' }, operands)
  return { rows: decode.maxRows, dispatches: await buildProducts(context, 0, decode, product) }
}

/** As for many rows, but nothing is rounded to 8 bits. */
const asMany: Build = (context, operands) => {
  const { build } = PREFILL_PRODUCT.entries[withoutRounding(context.gpu, context.many)]
  return build(context, operands)
}

/** Each weight is read once for up to 8 rows. */
const matvec: Build = (context, operands) =>
  operands.rows > MATVEC_MAX_ROWS
    ? asMany(context, operands)
    : buildSlices(context.gpu, operands, compileMatvec)

/**
 * Matrix products of steps that are not fused, of 1 to 64 rows: by a kernel for up to 8 rows and, above these, by the one
 * for many; or always by the one for many.
 */
export const FEW_ROWS_PRODUCT: VariantKind<FewRowsProduct, FewRowsEntry> = {
  unit: 'ms a layer',
  firstOnSoftware: 'many-rows',
  entries: {
    matvec: {
      needs: ({ gpu }) =>
        unless(!gpu.software, 'a GPU: software adapters are faster with the kernel for many rows'),
      build: matvec,
      trial: (buffers) => trial(buffers, matvec),
      buckets: [2, 4, MATVEC_MAX_ROWS],
    },
    'many-rows': {
      needs: ({ gpu }) =>
        unless(gpu.software, 'a software adapter: a GPU reads the weights for it too often'),
      build: asMany,
      trial: (buffers) => trial(buffers, asMany),
      buckets: [],
    },
  },
}
