import { hasCode } from '../errors/index.js'
import type { Terminal } from './terminal.js'

export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const

/** The command line asks for something that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The work failed; the message says at what and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** The user pressed Ctrl-C. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  /** @param advice how to go on later, if there is something to go on with */
  constructor(readonly advice = '') {
    super('Interrupted.')
  }
}

/** Errors of the language itself, which stand for a defect rather than for something the user can change. */
const DEFECTS = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'])

/**
 * Says what went wrong, in one message.
 * @param debug whether to show where, too
 * @returns the exit code
 */
export function reportError(error: unknown, terminal: Terminal, debug: boolean): number {
  if (error instanceof InterruptedError) {
    terminal.note(`Stopped.${error.advice && ` ${error.advice}`}`)
    return EXIT.interrupted
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  terminal.say(`${terminal.colors.red('error:')} ${message}`)
  if (debug) terminal.note(stack ?? name)
  else if (DEFECTS.has(name)) terminal.note('Run it again with --debug to see where this comes from.')
  return error instanceof UsageError || hasCode(error, 'option.invalid') ? EXIT.usage : EXIT.failure
}
