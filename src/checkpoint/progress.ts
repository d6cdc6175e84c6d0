/** How far a long call has come. */
export interface Progress {
  /**
   * `convert` in a conversion. While a model loads: `weights`; then `kernels`, if some still compile; then `tuning`, if
   * variants of kernels are measured, as when a model of its shape is first loaded on this GPU.
   */
  readonly stage: string
  /** Bytes done so far, and in all. */
  readonly doneBytes: number
  readonly totalBytes: number
  /** In the stage `kernels`: how many are compiled, and how many there are. */
  readonly kernels?: { readonly done: number; readonly total: number }
  /** Said once of each thing that did not go as planned although the call goes on, as a kernel that did not compile. */
  readonly warning?: string
}
