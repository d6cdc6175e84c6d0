import { signal } from '@preact/signals'
import { keepChoice, readChoice } from '../i18n/index.js'

/** How a model is run. */
export interface RunOptions {
  /** The fastest adapter, or the one that takes the least power. */
  readonly device: 'auto' | 'low-power'
  readonly activations: 'int8' | 'float'
  /** Null: the model's own. */
  readonly contextLength: number | null
  /** What float weights are quantized to while they load; null leaves them. */
  readonly quantizeBits: 4 | 8 | null
}

export const DEFAULT_RUN_OPTIONS: RunOptions = {
  device: 'auto',
  activations: 'int8',
  contextLength: null,
  quantizeBits: 4,
}

const KEY = 'run options'

function keptOptions(): RunOptions {
  try {
    return { ...DEFAULT_RUN_OPTIONS, ...(JSON.parse(readChoice(KEY) ?? '{}') as Partial<RunOptions>) }
  } catch {
    return DEFAULT_RUN_OPTIONS
  }
}

/** What the next model is loaded with. */
export const runOptions = signal<RunOptions>(keptOptions())

export function changeRunOptions(changes: Partial<RunOptions>): void {
  runOptions.value = { ...runOptions.value, ...changes }
  keepChoice(KEY, JSON.stringify(runOptions.value))
}
