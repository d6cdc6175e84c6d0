import { type PortableError, packError, unpackError } from './portable-error.js'

/** How work in another thread ended: with a value, or with an error that keeps its class. */
export type Outcome<T> = { readonly value: T } | { readonly failure: PortableError }

/** Runs work and gives its outcome, whatever happens. */
export async function wrapped<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { failure: packError(error) }
  }
}

/** The value of an outcome; throws its error. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if ('failure' in outcome) throw unpackError(outcome.failure)
  return outcome.value
}
