import type { Ceilings } from '../ceilings/ceilings.js'
import type { Environment } from '../common/environment.js'
import { rate, spread } from '../common/statistics.js'
import { digits, duration, percent, table } from '../common/table.js'
import type { DecodeResult, FirstTokenResult, PrefillResult } from './measure.js'
import type { ModelFacts } from './open-model.js'
import type { LabelTime } from './profile.js'

/** The results of `bench`, as they are in its JSON. */
export interface ModelReport {
  readonly kind: 'model'
  readonly version: 1
  readonly environment: Environment
  readonly ceilings: Ceilings
  readonly model: ModelFacts
  readonly seed: number
  readonly prefill: readonly PrefillResult[]
  readonly decode: readonly DecodeResult[]
  readonly firstToken: readonly FirstTokenResult[]
  /** Bytes of GPU memory, by purpose. */
  readonly memory: Readonly<Record<string, number>>
  readonly profile: readonly LabelTime[]
}

export const gigabytes = (bytes: number) => `${digits(bytes / 1e9)} GB`

/** Keys and values of the cache that a decode step reads. */
function cacheBytes({ config: { layers, kvGroups, headDim } }: ModelFacts, rows: number): number {
  return layers * 2 * rows * kvGroups * headDim * 2
}

/** The least seconds of a decode step: weights and cache read once at the measured bandwidth. */
export function decodeFloor(model: ModelFacts, ceilings: Ceilings, { start, prefix }: DecodeResult): number {
  return (model.bytesPerToken + cacheBytes(model, start + prefix)) / ceilings.read.median
}

/** Operations of a prompt: matrix products of the layers, and attention of each position to those up to it. */
export function prefillOperations({ layerParameters, config }: ModelFacts, tokens: number): number {
  const pairs = (tokens * (tokens + 1)) / 2
  return 2 * layerParameters * tokens + 4 * config.layers * config.heads * config.headDim * pairs
}

export function modelLines({ model, memory }: ModelReport): string[] {
  const { name, weights, activations, load, prepareSeconds, contextLength } = model
  const { total, ...kinds } = memory
  const parts = Object.entries(kinds).map(([kind, bytes]) => `${kind} ${gigabytes(bytes)}`)
  return [
    `${name}: weights ${weights}; decode activations ${activations}; context ${contextLength}`,
    ...(load
      ? [
          `loaded ${gigabytes(load.bytes)} in ${duration(load.seconds)}, ${gigabytes(load.bytes / load.seconds)}/s`,
        ]
      : []),
    `cache allocated and kernels compiled in ${duration(prepareSeconds)}`,
    `GPU memory ${gigabytes(total)} (${parts.join(', ')})`,
  ]
}

export function prefillTable({ model, prefill }: ModelReport): string {
  return table(
    ['prefill', 'time', 'tokens/s', '+-', 'TFLOP/s', 'runs'],
    prefill.map(({ tokens, seconds }) => [
      `${tokens} tokens`,
      duration(seconds.median),
      digits(rate(tokens, seconds).median),
      percent(spread(seconds)),
      digits(prefillOperations(model, tokens) / seconds.median / 1e12),
      String(seconds.repetitions),
    ]),
  )
}

export function decodeTable({ model, ceilings, decode }: ModelReport): string {
  return table(
    ['decode', 'time a token', 'tokens/s', '+-', 'of ceiling', 'runs'],
    decode.map((result) => [
      `context ${result.context}${result.prefix ? `, prefix ${result.prefix}` : ''}${result.lora ? `, ${result.lora}` : ''}`,
      duration(result.seconds.median),
      digits(1 / result.seconds.median),
      percent(spread(result.seconds)),
      percent(decodeFloor(model, ceilings, result) / result.seconds.median),
      `${result.seconds.repetitions} x ${result.tokens}`,
    ]),
  )
}

export function firstTokenLines({ firstToken }: ModelReport): string[] {
  return firstToken.map(
    ({ tokens, seconds }) =>
      `first token of a prompt of ${tokens}: ${duration(seconds.median)} (+- ${percent(spread(seconds))})`,
  )
}

/** For each phase and context, where the time of a token or chunk goes. */
export function profileTables(times: readonly LabelTime[]): string[] {
  const keys = [...new Set(times.map(({ phase, context }) => `${phase} ${context}`))]
  return keys.map((key) => {
    const group = times.filter(({ phase, context }) => `${phase} ${context}` === key)
    const [{ phase, context, rows }] = group
    const total = group.reduce((sum, { seconds }) => sum + seconds, 0)
    const title = {
      decode: `a token at context ${context}`,
      prefill: `a chunk of ${rows} up to ${context}`,
      training: `a training step over ${rows}`,
    }[phase]
    const lines = group.map(({ label, calls, seconds }) => [
      label,
      String(calls),
      duration(seconds / calls),
      duration(seconds),
      percent(seconds / total),
    ])
    return table(
      [title, 'calls', 'each', 'all', 'share'],
      [
        ...lines,
        ['sum', String(group.reduce((sum, { calls }) => sum + calls, 0)), '', duration(total), '100%'],
      ],
    )
  })
}
