export { linearReference as matvecReference } from '../../common/linear.reference.js'
