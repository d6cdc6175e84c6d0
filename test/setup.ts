/** Gives every test file `navigator.gpu`: the system's GPU where there is one, else the software adapter. */
import { nodeGpu } from '../src/gpu/node/node-gpu.js'

// Node has `navigator` from version 21 on, and no `navigator.gpu` in any version.
const gpu = await nodeGpu()
const navigator = { ...globalThis.navigator, gpu }
Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
