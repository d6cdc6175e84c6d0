export { linearReference as matmulReference } from '../../common/linear.reference.js'
