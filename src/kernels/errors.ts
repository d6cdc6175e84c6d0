import { OptionError } from '../errors/index.js'

/** A kernel was asked for sizes or options it does not have. Programming error, raised before any GPU work. */
export function kernelArgument(kernel: string, problem: string) {
  return new OptionError('option.kernel-argument', `Kernel ${kernel}: ${problem}`)
}
