import { AdapterError, DeviceError } from '../errors/index.js'

/** The GPU was taken away: a driver reset, a crash, another program, or `dispose()` in the middle of a call. */
export function deviceLost(reason: string) {
  return new DeviceError(
    'device.lost',
    `The GPU device was lost (${reason}). Load the model again to go on; nothing on disk was changed.`,
  )
}

/** The GPU could not give a buffer of the asked size. */
export function outOfMemory(label: string, byteLength: number) {
  return new DeviceError(
    'device.out-of-memory',
    `The GPU has no room for "${label}" (${(byteLength / 1e6).toFixed(1)} MB). ` +
      'Use a smaller contextLength or cacheTokens, fewer bits, or close other programs that use the GPU.',
    { details: { label, byteLength } },
  )
}

/** The adapter offers less than a kernel or the model needs. */
export function adapterLimit(limit: string, offered: number, needed: number, advice: string) {
  return new AdapterError(
    'adapter.limit',
    `This GPU adapter offers ${limit} = ${offered}, but ${needed} is needed. ${advice}`,
    { details: { limit, offered, needed } },
  )
}

/** A driver could not compile a kernel. */
export function shaderRefused(kernel: string, problem: string) {
  return new AdapterError(
    'adapter.shader-refused',
    `The GPU driver could not compile kernel ${kernel}: ${problem}. Update the driver or the browser.`,
    { details: { kernel } },
  )
}
