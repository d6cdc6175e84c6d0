/** The same function as of the product for any adapter, up to the rounding of both factors to f16. */
export { linearTransposedReference as matmulTransposedSubgroupReference } from '../../common/linear-transposed.reference.js'
