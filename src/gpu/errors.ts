/** The GPU was taken away: a driver reset, a crash, another program, or `dispose()` in the middle of a call. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError'
  constructor(reason: string) {
    super(`The GPU device was lost (${reason}). Load the model again to go on; nothing on disk was changed.`)
  }
}

/** The GPU could not give a buffer of the asked size. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError'
  constructor(label: string, byteLength: number) {
    super(
      `The GPU has no room for "${label}" (${(byteLength / 1e6).toFixed(1)} MB). ` +
        'Use a smaller contextLength or cacheTokens, fewer bits, or close other programs that use the GPU.',
    )
  }
}

/** The adapter offers less than a kernel or the model needs. */
export class AdapterLimitError extends Error {
  override readonly name = 'AdapterLimitError'
  constructor(limit: string, offered: number, needed: number, advice: string) {
    super(`This GPU adapter offers ${limit} = ${offered}, but ${needed} is needed. ${advice}`)
  }
}

/** A driver could not compile a kernel. */
export class ShaderCompilationError extends Error {
  override readonly name = 'ShaderCompilationError'
  constructor(kernel: string, problem: string) {
    super(`The GPU driver could not compile kernel ${kernel}: ${problem}. Update the driver or the browser.`)
  }
}

/** WebGPU reported a validation or internal error: a defect of this project or of the driver. */
export class GpuError extends Error {
  override readonly name = 'GpuError'
}
