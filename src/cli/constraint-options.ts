import type { Command } from 'commander'
import { hasCode } from '../errors/index.js'
import type { ConstraintOption } from '../index.js'
import { CommandError, UsageError } from './errors.js'
import { collect } from './generation-options.js'
import type { Library } from './library.js'
import { readText, type TextFlags } from './read-text.js'

/** What answers must keep to, as the command line says it. */
export interface ConstraintFlags {
  readonly schema?: string
  readonly grammar?: string
  readonly choices?: readonly string[]
}

export function addConstraintOptions(command: Command): Command {
  return command
    .optionsGroup('Structured output (one of these):')
    .option('--schema <file>', 'a JSON Schema that every answer satisfies')
    .option('--grammar <file>', 'a grammar in EBNF whose texts the answers are')
    .option('--choices <text>', 'a text that an answer may be; repeatable', collect)
}

/**
 * The constraint that the options ask for; undefined without any.
 * @throws UsageError for several, CommandError for a file that cannot be read or is not JSON
 */
export async function readConstraint(
  library: Library,
  flags: ConstraintFlags & TextFlags,
): Promise<ConstraintOption | undefined> {
  const { schema, grammar, choices } = flags
  if ([schema, grammar, choices].filter((one) => one !== undefined).length > 1) {
    throw new UsageError(
      '--schema, --grammar and --choices say the same in different ways: give one of them.',
    )
  }
  if (choices !== undefined) return { choices }
  if (grammar !== undefined) return { grammar: await readText(library, grammar, flags) }
  if (schema === undefined) return undefined
  try {
    return { jsonSchema: library.parseJson(await readText(library, schema, flags)) as object }
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
    throw new CommandError(`${schema}: expected a JSON Schema (${error.message}).`)
  }
}
