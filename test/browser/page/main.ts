/** Gives tests the library as a page imports it: `chatglm` in what they evaluate. */
import * as library from '../../../src/index.js'

declare global {
  var chatglm: typeof import('../../../src/index.js')
}

globalThis.chatglm = library
