import { type Ceilings, floorSeconds } from '../ceilings/ceilings.js'
import { encodeDispatches, type Gpu } from '../common/internals.js'
import type { PassTimer } from '../common/pass-timer.js'
import type { Summary } from '../common/statistics.js'
import type { KernelCase, PreparedKernel } from './kernel-case.js'
import { Workshop } from './workshop.js'

/** What was measured of one case. */
export interface KernelResult
  extends Pick<KernelCase, 'kernel' | 'variant' | 'shape' | 'bytes' | 'operations' | 'unit' | 'tolerance'> {
  /** Largest difference from the float64 reference, relative to its largest value. */
  readonly error: number
  readonly seconds: Summary
  /** Share of what the device allows: the floor given by bytes and operations over the time. */
  readonly fraction: number
}

/** The case computes something else than its reference; its time would mean nothing. */
export class WrongResultError extends Error {
  override readonly name = 'WrongResultError'

  constructor({ kernel, variant, shape, tolerance }: KernelCase, error: number) {
    super(`${kernel} ${variant} ${shape}: off by ${error.toExponential(1)}, more than ${tolerance}`)
  }
}

async function check(gpu: Gpu, kernelCase: KernelCase, kernel: PreparedKernel): Promise<number> {
  kernel.poison?.()
  const encoder = gpu.device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  encodeDispatches(pass, kernel.sets[0], kernel.rows)
  pass.end()
  gpu.device.queue.submit([encoder.finish()])
  const error = await kernel.error()
  if (!(error <= kernelCase.tolerance)) throw new WrongResultError(kernelCase, error)
  return error
}

/**
 * Checks a kernel, then times it.
 * @throws WrongResultError
 */
export async function measureKernel(
  gpu: Gpu,
  timer: PassTimer,
  ceilings: Ceilings,
  kernelCase: KernelCase,
  seed: number,
): Promise<KernelResult> {
  const workshop = await Workshop.create(gpu, seed)
  try {
    const kernel = await kernelCase.prepare(workshop)
    const error = await check(gpu, kernelCase, kernel)
    const { sets, rows } = kernel
    const seconds = await timer.time((pass, call) => encodeDispatches(pass, sets[call % sets.length], rows))
    const { kernel: name, variant, shape, bytes, operations, unit, tolerance } = kernelCase
    const fraction = floorSeconds(ceilings, bytes, operations, unit) / seconds.median
    return { kernel: name, variant, shape, bytes, operations, unit, tolerance, error, seconds, fraction }
  } finally {
    workshop.release()
  }
}
