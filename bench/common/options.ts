import { InvalidArgumentError, Option } from 'commander'
import type { OptionalFeature } from './internals.js'

export function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.')
  return value
}

/** Whole numbers with commas between them. */
export function counts(text: string): number[] {
  return text.split(',').map(count)
}

export function words(text: string): string[] {
  return text.split(',').filter(Boolean)
}

/** Options that all benchmarks have. */
export interface CommonOptions {
  readonly device: 'auto' | 'software'
  readonly without: readonly OptionalFeature[]
  readonly json?: string
  readonly svg?: string
  readonly commit?: string
  readonly quick: boolean
}

export const commonOptions: readonly Option[] = [
  new Option('--device <device>', 'adapter to use').choices(['auto', 'software']).default('auto'),
  new Option('--without <features>', 'features of the adapter to leave unused, with commas')
    .argParser(words)
    .default([]),
  new Option('--json <file>', 'write the results there'),
  new Option('--svg <folder>', 'draw charts there'),
  new Option('--commit <hash>', 'commit of the source, where there is no Git to ask'),
  new Option('--quick', 'a smoke test: tiny shapes, few repetitions').default(false),
]
