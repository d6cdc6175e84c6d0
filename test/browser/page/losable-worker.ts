/** The library's worker, whose GPU a test can take away. The order counts: the second finds what the first changed. */
import './losable-gpu.js'
import '../../../src/runtime/worker/worker.js'
