/** The parts of attention-decode, put together by attention-combine, are attention over the whole cache. */
export { attentionReference as attentionDecodeReference } from '../attention/attention.reference.js'
