import type { Dispatch, Gpu } from '../../gpu/index.js'

/** What differs from one sequence to the next. */
export interface SequenceSize {
  /** Tokens. */
  readonly rows: number
  /** Tokens that are predicted. */
  readonly targets: number
  /** Different tokens among them all; counted only where the embedding is trained. */
  readonly distinct: number
}

/** For commands that work on no sequence. */
export const NO_SEQUENCE: SequenceSize = { rows: 0, targets: 0, distinct: 0 }

/** How many rows a command works on; 0 leaves it out. */
export type RowCount = (size: SequenceSize) => number

/** One thing that the GPU does in a training step: built once, encoded for every sequence. */
export type Command =
  | { readonly kind: 'dispatch'; readonly dispatch: Dispatch; readonly rows: RowCount }
  /** Copies the first rows of a buffer to another. */
  | {
      readonly kind: 'copy'
      readonly source: GPUBuffer
      readonly target: GPUBuffer
      readonly rowBytes: number
      readonly rows: RowCount
    }
  /** Sets a whole buffer to zero. */
  | { readonly kind: 'clear'; readonly buffer: GPUBuffer }

/** Dispatches for as many rows. */
export function dispatches(rows: RowCount, ...list: readonly Dispatch[]): Command[] {
  return list.map((dispatch) => ({ kind: 'dispatch', dispatch, rows }))
}

/** Encodes commands in order; dispatches that follow each other share a pass. */
export function encodeCommands(
  encoder: GPUCommandEncoder,
  commands: readonly Command[],
  size: SequenceSize,
): void {
  let pass: GPUComputePassEncoder | undefined
  const endPass = () => {
    pass?.end()
    pass = undefined
  }
  for (const command of commands) {
    if (command.kind === 'clear') {
      endPass()
      encoder.clearBuffer(command.buffer)
      continue
    }
    const rows = command.rows(size)
    if (rows <= 0) continue
    if (command.kind === 'copy') {
      endPass()
      encoder.copyBufferToBuffer(command.source, 0, command.target, 0, rows * command.rowBytes)
    } else {
      pass ??= encoder.beginComputePass()
      pass.setPipeline(command.dispatch.pipeline)
      pass.setBindGroup(0, command.dispatch.bindGroup)
      pass.dispatchWorkgroups(...command.dispatch.workgroups(rows))
    }
  }
  endPass()
}

/** Gives commands to the GPU. */
export function submitCommands(
  gpu: Gpu,
  commands: readonly Command[],
  size: SequenceSize = NO_SEQUENCE,
): void {
  gpu.check()
  const encoder = gpu.device.createCommandEncoder({ label: 'training' })
  encodeCommands(encoder, commands, size)
  gpu.device.queue.submit([encoder.finish()])
}
