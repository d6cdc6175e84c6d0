/** A kernel was asked for sizes or options it does not have. Programming error, raised before any GPU work. */
export class KernelArgumentError extends Error {
  override readonly name = 'KernelArgumentError'
  constructor(kernel: string, problem: string) {
    super(`Kernel ${kernel}: ${problem}`)
  }
}
