/** The same function as of rms-norm, rounded to f16. */
export { rmsNormReference as normHalvesReference } from '../rms-norm/rms-norm.reference.js'
