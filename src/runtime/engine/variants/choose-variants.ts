import { hasCode, invalidOption } from '../../../errors/index.js'
import type { Gpu } from '../../../gpu/index.js'
import type { Candidates } from './candidates.js'
import type { Trial, VariantKind } from './kind.js'
import { VARIANT_TABLE } from './table.js'
import { timeTrials } from './tuning.js'
import type { TuningTimes, VariantTimes } from './tuning-record.js'
import {
  VARIANT_NAMES,
  type VariantChoices,
  type VariantName,
  type VariantOf,
  type Variants,
} from './variants.js'

/** How one thing is going to be chosen. */
export interface ChoicePlan {
  readonly name: VariantName
  /** What may be used, the best known first. */
  readonly order: readonly VariantOf[]
  /** Whether to compile and measure all of these; else the first that compiles is used. */
  readonly measure: boolean
  /** Why the first is the best known. */
  readonly reason: string
  /** What is in the way of the others, by variant. */
  readonly impossible: Readonly<Record<string, string>>
}

export interface PlanOptions {
  /** What the caller asked for. */
  readonly forced: Partial<Variants>
  /** What was measured before. */
  readonly known: TuningTimes
  /** Whether variants are measured that were not before. */
  readonly measure: boolean
}

function milliseconds(ms: number): string {
  return String(Number(ms.toPrecision(3)))
}

/** `fastest of 3: 2.9 ms a layer; int8 9.1, float32 21` */
function fastest(name: VariantName, times: VariantTimes): string {
  const ranking = Object.entries(times)
    .filter((entry): entry is [string, number] => entry[1] !== null)
    .sort(([, a], [, b]) => a - b)
  const [[, best], ...others] = ranking
  const time = `${milliseconds(best)} ${VARIANT_TABLE[name].unit}`
  if (others.length === 0) return `nothing else is left: ${time}`
  const rest = others.map(([variant, ms]) => `${variant} ${milliseconds(ms)}`).join(', ')
  return `fastest of ${ranking.length}: ${time}; ${rest}`
}

/** What the driver refused, as the beginning of a reason. */
function refusal(refused: readonly string[]): string {
  return refused.length > 0 ? `${refused.join(' and ')} did not compile; ` : ''
}

/**
 * How one thing is to be chosen: what was asked for, else the fastest that was measured before, else to be measured.
 * @throws `option.invalid` for a variant that was asked for and is not possible here
 */
function planChoice(
  name: VariantName,
  all: Candidates[VariantName],
  { forced, known, measure }: PlanOptions,
): ChoicePlan {
  const possible = all.filter(({ obstacle }) => obstacle === undefined).map(({ variant }) => variant)
  const impossible = Object.fromEntries(
    all.flatMap(({ variant, obstacle }) => (obstacle === undefined ? [] : [[variant, obstacle]])),
  )
  const plan = (reason: string, order: readonly VariantOf[], measured = true): ChoicePlan => {
    return { name, order, measure: !measured, reason, impossible }
  }
  const wanted = forced[name]
  if (wanted !== undefined) {
    if (possible.includes(wanted)) return plan('asked for', [wanted])
    const expected = possible.map((variant) => `"${variant}"`).join(' or ')
    throw invalidOption(`variants.${name}`, wanted, `${expected} here: "${wanted}" ${impossible[wanted]}`)
  }
  if (possible.length === 1) return plan('nothing else is possible', possible)
  const times = known[name]
  if (times && possible.every((variant) => times[variant] !== undefined)) {
    const measured = Object.fromEntries(possible.map((variant) => [variant, times[variant]]))
    const refused = possible.filter((variant) => measured[variant] === null)
    const order = possible
      .filter((variant) => measured[variant] !== null)
      .sort((a, b) => Number(measured[a]) - Number(measured[b]))
    if (order.length > 0)
      return plan(`${refusal(refused)}${fastest(name, measured)}, at an earlier load`, order)
  }
  const others = possible.slice(1).join(' and ')
  const {
    unmeasured,
    compiledBy,
  }: Pick<VariantKind<VariantOf, never>, 'unmeasured' | 'compiledBy'> = VARIANT_TABLE[name]
  if (compiledBy && unmeasured !== undefined) return plan(unmeasured, possible.slice(0, 1))
  if (measure && unmeasured !== undefined) return plan(unmeasured, possible)
  if (measure) return plan(`preferred to ${others} until they are measured`, possible, false)
  return plan(`preferred to ${others}; nothing is measured on a software adapter`, possible)
}

/**
 * How everything is to be chosen.
 * @throws `option.invalid` for a variant that was asked for and is not possible here
 */
export function planChoices(all: Candidates, options: PlanOptions): readonly ChoicePlan[] {
  const plans = VARIANT_NAMES.map((name) => planChoice(name, all[name], options))
  const mayBe = (kind: string, variant: string) =>
    plans.some(({ name, order }) => name === kind && order.some((one) => one === variant))
  return plans.map((plan) => {
    const { partOf }: Pick<VariantKind<VariantOf, never>, 'partOf'> = VARIANT_TABLE[plan.name]
    if (!partOf || mayBe(partOf.kind, partOf.variant)) return plan
    // There is nothing to compile and to measure it in.
    const { variant, reason } = partOf.otherwise
    return { ...plan, order: [variant], measure: false, reason }
  })
}

/** A variant that compiled. */
interface Compiled {
  readonly variant: VariantOf
  /** Undefined where there was no choice. */
  readonly trial?: Trial
}

interface Compilation {
  readonly plan: ChoicePlan
  readonly compiled: readonly Compiled[]
  readonly refused: readonly VariantOf[]
}

/** Compiles all that a variant needs, for a trial of it. */
export type BuildTrial = (name: VariantName, variant: VariantOf) => Promise<Trial>

/**
 * Compiles what a plan asks for; a variant that the driver refuses is left out. What has no alternative is compiled by
 * what it is used in.
 * @throws where the driver refuses all
 */
async function compile(plan: ChoicePlan, build: BuildTrial): Promise<Compilation> {
  if (plan.order.length === 1) return { plan, compiled: [{ variant: plan.order[0] }], refused: [] }
  const compiled: Compiled[] = []
  const refused: VariantOf[] = []
  let refusedWith: unknown
  const attempt = async (variant: VariantOf) => {
    try {
      compiled.push({ variant, trial: await build(plan.name, variant) })
    } catch (error) {
      if (!hasCode(error, 'adapter.shader-refused')) throw error
      refused.push(variant)
      refusedWith = error
    }
  }
  if (plan.measure) await Promise.all(plan.order.map(attempt))
  else for (const variant of plan.order) if (compiled.length === 0) await attempt(variant)
  if (compiled.length === 0) throw refusedWith
  return { plan, compiled, refused }
}

export interface ChooseOptions {
  readonly build: BuildTrial
  /** Called before anything is measured; waits for what measuring needs. */
  readonly beforeMeasuring: () => Promise<void>
  /** Told once of each variant that did not compile. */
  readonly onRefused: (message: string) => void
}

export interface Choices {
  readonly variants: VariantChoices
  /** What was measured now. */
  readonly measured: TuningTimes
}

/** The choice that a compilation leaves, with the times where several variants were measured. */
async function settle(gpu: Gpu, { plan, compiled, refused }: Compilation) {
  const { name, reason, measure, impossible } = plan
  if (!measure) {
    const because = refused.length > 0 ? `${refusal(refused)}this is the next` : reason
    return { choice: { variant: compiled[0].variant, reason: because, impossible } }
  }
  const times = await timeTrials(
    gpu,
    compiled.flatMap(({ trial }) => trial ?? []),
  )
  const ranking = compiled
    .map(({ variant }, index) => ({ variant, ms: times[index] }))
    .sort((a, b) => a.ms - b.ms)
  const measured = Object.fromEntries([
    ...ranking.map(({ variant, ms }) => [variant, ms] as const),
    ...refused.map((variant) => [variant, null] as const),
  ])
  const because = refusal(refused) + fastest(name, measured)
  const choice = { variant: ranking[0].variant, reason: because, impossible }
  return { choice, measured }
}

/**
 * Compiles and, where that is planned, measures variants, and chooses one of each.
 * @throws `adapter.shader-refused` where the driver refuses every variant, or the one that was asked for
 */
export async function chooseVariants(
  gpu: Gpu,
  plans: readonly ChoicePlan[],
  { build, beforeMeasuring, onRefused }: ChooseOptions,
): Promise<Choices> {
  const compilations = await Promise.all(plans.map((plan) => compile(plan, build)))
  for (const { plan, compiled, refused } of compilations) {
    const instead = compiled.map(({ variant }) => variant).join(' or ')
    for (const variant of refused) {
      onRefused(
        `The GPU driver could not compile ${plan.name} "${variant}"; "${instead}" is used instead. Update the driver or the browser.`,
      )
    }
  }
  if (plans.some(({ measure }) => measure)) await beforeMeasuring()
  const variants: Partial<Record<VariantName, unknown>> = {}
  const measured: Partial<Record<VariantName, VariantTimes>> = {}
  for (const compilation of compilations) {
    const { name } = compilation.plan
    const settled = await settle(gpu, compilation)
    variants[name] = settled.choice
    if (settled.measured) measured[name] = settled.measured
  }
  return { variants: variants as VariantChoices, measured }
}
