import type { Environment } from '../common/environment.js'
import type { ModelConfig } from '../common/internals.js'
import { rate, spread } from '../common/statistics.js'
import { digits, duration, percent, table } from '../common/table.js'
import type { LabelTime } from '../model/profile.js'
import { gigabytes } from '../model/report.js'
import type { StepResult } from './measure.js'

/** The results of `bench-finetune`, as they are in its JSON. */
export interface FinetuneReport {
  readonly kind: 'finetune'
  readonly version: 1
  readonly environment: Environment
  readonly model: {
    readonly name: string
    readonly weights: string
    readonly config: ModelConfig
  }
  readonly seed: number
  readonly steps: readonly StepResult[]
  readonly profile: readonly LabelTime[]
}

/**
 * Operations of the matrix products of one sequence, as they are computed: forward, forward again for the way back
 * (without the last product of a layer), and back.
 */
export function productOperations(config: ModelConfig, tokens: number, targets: number): number {
  const { layers, hidden, ffn, heads, kvGroups, headDim, vocabulary } = config
  const qkv = (heads + 2 * kvGroups) * headDim * hidden
  const dense = heads * headDim * hidden
  const down = ffn * hidden
  const layer = 3 * (qkv + dense + 2 * down) + 2 * down
  return 2 * (layers * layer * tokens + 2 * vocabulary * hidden * targets)
}

export function stepTable({ model, steps }: FinetuneReport): string {
  return table(
    ['sequence', 'trained', 'an update', 'a sequence', 'tokens/s', '+-', 'TFLOP/s', 'GPU memory', 'runs'],
    steps.map(({ tokens, targets, sequences, prefixLength, projection, lora, seconds, memory }) => [
      `${tokens} tokens x ${sequences}`,
      lora
        ? `LoRA ${lora.rank}, ${lora.roles.join(' + ')}`
        : `prefix ${prefixLength}${projection ? ', projected' : ''}`,
      duration(seconds.median),
      duration(seconds.median / sequences),
      digits(rate(tokens * sequences, seconds).median),
      percent(spread(seconds)),
      digits((sequences * productOperations(model.config, tokens, targets)) / seconds.median / 1e12),
      gigabytes(memory.total),
      String(seconds.repetitions),
    ]),
  )
}

/** Where the memory of a training goes. */
export function memoryTable({ tokens, memory, plan }: StepResult): string {
  return table(
    [`memory at ${tokens} tokens`, 'bytes'],
    [
      ['weights of the model', gigabytes(memory.weights)],
      ...plan.map(({ purpose, bytes }) => [purpose, gigabytes(bytes)]),
      ['sum', gigabytes(memory.total)],
    ],
  )
}
