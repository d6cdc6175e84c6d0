import type { Dispatch, Gpu } from '../../../../gpu/index.js'
import { compileMatvec, MATVEC_MAX_ROWS } from '../../../../kernels/index.js'
import { type BuildLinear, buildSlices, type LinearOperands } from '../../webgpu/linear.js'
import { unless, type VariantEntry, type VariantKind } from '../kind.js'
import { tryProducts } from './prefill-product.js'

/** What products of steps are computed with. */
export interface FewRowsContext {
  readonly gpu: Gpu
  /** The product for many rows; it rounds nothing to 8 bits. */
  readonly many: BuildLinear
}

type Build = (context: FewRowsContext, operands: LinearOperands) => Promise<Dispatch[]>
export type FewRowsProduct = 'matvec' | 'many-rows'

export interface FewRowsEntry extends VariantEntry<Build> {
  /**
   * The numbers of rows, besides 1 and the most that there can be, that kernels are built for; other steps take the next
   * larger. Where kernels are indifferent to the number of rows there are none, so that few are compiled.
   */
  readonly buckets: readonly number[]
}

/** Tried with as many rows as a step can have. */
function entry(build: Build, only: Pick<FewRowsEntry, 'needs' | 'buckets'>): FewRowsEntry {
  const trial: FewRowsEntry['trial'] = ({ context, decode, many }) =>
    tryProducts(context, decode, (operands) => build({ gpu: context.gpu, many }, operands))
  return { build, trial, ...only }
}

const manyRows: Build = ({ many }, operands) => many(operands)

/** Each weight is read once for up to 8 rows. */
const matvec: Build = ({ gpu, many }, operands) =>
  operands.rows > MATVEC_MAX_ROWS ? many(operands) : buildSlices(gpu, operands, compileMatvec)

/**
 * Matrix products of steps that are not fused, of 1 to 64 rows: by a kernel for up to 8 rows and, above these, by the one
 * for many; or always by the one for many.
 */
export const FEW_ROWS_PRODUCT: VariantKind<FewRowsProduct, FewRowsEntry> = {
  unit: 'ms a layer',
  firstOnSoftware: 'many-rows',
  entries: {
    matvec: entry(matvec, {
      needs: ({ gpu }) =>
        unless(!gpu.software, 'a GPU: software adapters are faster with the kernel for many rows'),
      buckets: [2, 4, MATVEC_MAX_ROWS],
    }),
    'many-rows': entry(manyRows, {
      needs: ({ gpu }) =>
        unless(gpu.software, 'a software adapter: on a GPU its tiles are nearly empty for a few rows'),
      buckets: [],
    }),
  },
}
