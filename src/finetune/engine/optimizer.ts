import type { Gpu, MemoryKind } from '../../gpu/index.js'
import {
  ADAMW_WORDS,
  adamWWords,
  compileAdamW,
  compileGradientNorm,
  GRADIENT_NORM_PARTS,
} from '../../kernels/index.js'
import type { Allocation } from './allocation.js'
import { type Command, dispatches } from './commands.js'
import { diverged } from './errors.js'
import type { Parameter } from './parameters.js'
import type { UpdateOptions } from './training-engine.js'

const FLOAT = 4

/** What the kernels read beside parameters, and what they put out. */
export type OptimizerBuffers = Readonly<
  Record<'settings' | 'undecayed' | 'limit' | 'parts' | 'result', GPUBuffer>
>

/** Bytes on the GPU beside those of the parameters. */
export function optimizerBytes(parameters: number): number {
  return (2 * ADAMW_WORDS + 1 + parameters * GRADIENT_NORM_PARTS + 2) * FLOAT
}

/** Allocates what belongs to all parameters together. */
export function allocateOptimizer(
  allocation: Allocation,
  kind: MemoryKind,
  parameters: number,
): OptimizerBuffers {
  const floats = (label: string, count: number) =>
    allocation.allocate(kind, `optimizer ${label}`, count * FLOAT)
  return {
    settings: floats('settings', ADAMW_WORDS),
    undecayed: floats('settings without decay', ADAMW_WORDS),
    limit: floats('limit', 1),
    parts: floats('parts of the norm', parameters * GRADIENT_NORM_PARTS),
    result: floats('norm', 2),
  }
}

/** Clipping by the global norm, and AdamW, for all parameters. */
export class Optimizer {
  /** From gradients to new parameters; gradients become zero. */
  readonly commands: readonly Command[]
  readonly #gpu: Gpu
  readonly #buffers: OptimizerBuffers

  private constructor(gpu: Gpu, commands: readonly Command[], buffers: OptimizerBuffers) {
    this.#gpu = gpu
    this.commands = commands
    this.#buffers = buffers
  }

  /** @param buffers from `allocateOptimizer` */
  static async create(
    gpu: Gpu,
    parameters: readonly Parameter[],
    buffers: OptimizerBuffers,
  ): Promise<Optimizer> {
    const [norm, ...steps] = await Promise.all([
      compileGradientNorm(gpu, { counts: parameters.map(({ count }) => count) }),
      ...parameters.map(({ count }) => compileAdamW(gpu, { count })),
    ])
    const { settings, undecayed, limit, parts, result } = buffers
    const gradients = parameters.map(({ gradient }) => gradient)
    const commands = dispatches(
      () => 1,
      ...norm.bind('gradient norm', { gradients, parts, settings: limit, result }),
      ...parameters.flatMap(({ value, gradient, firstMoment, secondMoment, decays }, index) =>
        steps[index].bind('AdamW', {
          settings: decays ? settings : undecayed,
          clip: result,
          parameter: value,
          firstMoment,
          secondMoment,
          gradient,
        }),
      ),
    )
    return new Optimizer(gpu, commands, buffers)
  }

  /** Writes the settings of the next step; to be called before its commands are submitted. */
  configure(options: UpdateOptions): void {
    this.#gpu.write(this.#buffers.settings, 0, adamWWords(options))
    this.#gpu.write(this.#buffers.undecayed, 0, adamWWords({ ...options, weightDecay: 0 }))
    this.#gpu.write(this.#buffers.limit, 0, new Float32Array([options.maxGradientNorm ?? 0]))
  }

  /**
   * The global norm of the step submitted last, before clipping.
   * @throws `training.diverged` where it is NaN or infinite; the parameters are left as they were then
   */
  async readNorm(): Promise<number> {
    const [norm] = new Float32Array(await this.#gpu.read(this.#buffers.result, 0, FLOAT))
    if (!Number.isFinite(norm)) throw diverged('gradient norm', norm)
    return norm
  }
}
