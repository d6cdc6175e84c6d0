/** The same function as of every matrix product, up to the rounding of both factors to f16. */
export { linearReference as linearPromptReference } from '../../common/linear.reference.js'
