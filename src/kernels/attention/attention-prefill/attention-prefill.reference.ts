/** The same function as when decoding, row by row. */
export { attentionReference } from '../attention/attention.reference.js'
