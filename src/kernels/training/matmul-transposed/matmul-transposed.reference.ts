export { linearTransposedReference as matmulTransposedReference } from '../../common/linear-transposed.reference.js'
