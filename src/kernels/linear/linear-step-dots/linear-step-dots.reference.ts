/** The same function as of every matrix product, of activations that were rounded to 8 bits before. */
export { linearReference as linearStepDotsReference } from '../../common/linear.reference.js'
