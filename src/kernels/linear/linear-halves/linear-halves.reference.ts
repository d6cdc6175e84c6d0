/** The same function as of every matrix product, up to the rounding of both factors to f16. */
export { linearReference as linearHalvesReference } from '../../common/linear.reference.js'
