import { TrainingError } from '../errors/index.js'
import { type OptimizationSettings, REPORTING_SETTINGS } from './settings.js'

/** What a training is, apart from how far it has come: with the same identity it takes the same course. */
export interface TrainingIdentity {
  readonly settings: OptimizationSettings
  readonly data: { readonly samples: number; readonly fingerprint: string }
  /** The shape of the model, field by field. */
  readonly model: Readonly<Record<string, unknown>>
}

/**
 * Compares a checkpoint's training with the one that is to go on.
 * @throws `training.resume-mismatch` naming the first setting that differs
 */
export function checkIdentity(saved: TrainingIdentity, wanted: TrainingIdentity, folder: string): void {
  const differs = (what: string, before: unknown, now: unknown) =>
    new TrainingError(
      'training.resume-mismatch',
      `The training in ${folder} was begun with ${what} ${before}, not ${now}. ` +
        `Give it ${before} again, or begin anew in another folder.`,
    )
  for (const [field, now] of Object.entries(wanted.model)) {
    const before = saved.model[field]
    if (before !== now) throw differs(`a model of ${field}`, before, now)
  }
  for (const [name, now] of Object.entries(wanted.settings)) {
    if ((REPORTING_SETTINGS as readonly string[]).includes(name)) continue
    const before = saved.settings[name as keyof OptimizationSettings]
    // Lists are the same by what is in them.
    if (JSON.stringify(before) !== JSON.stringify(now)) throw differs(name, before, now)
  }
  if (saved.data.fingerprint !== wanted.data.fingerprint) {
    throw new TrainingError(
      'training.resume-mismatch',
      `The training in ${folder} was begun with other data (${saved.data.samples} samples then, ` +
        `${wanted.data.samples} now), or with other limits of their length. ` +
        'Give the same data and limits, or begin anew in another folder.',
    )
  }
}
