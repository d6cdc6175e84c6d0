import { hasCode } from '../errors/index.js'
import { ChatSession } from './chat-session.js'
import type { Context } from './context.js'
import { CommandError } from './errors.js'
import { type GenerationFlags, generateOptions, randomSeed } from './generation-options.js'
import type { Library } from './library.js'
import { type ModelFlags, openModel } from './model-options.js'
import { readText, type TextFlags } from './read-text.js'

/** What to talk with and how, as the command line says it. */
export interface SessionFlags extends ModelFlags, GenerationFlags, TextFlags {
  readonly adapter?: readonly string[]
  readonly system?: string
  readonly tools?: string
  readonly raw?: true
}

/** Loads a model with the prefixes and settings of the command line, and gives it back at the end. */
export async function withSession(
  { terminal, loadLibrary }: Context,
  modelName: string,
  flags: SessionFlags,
  signal: AbortSignal,
  use: (session: ChatSession) => Promise<void>,
): Promise<void> {
  const library = await loadLibrary()
  const tools = flags.tools === undefined ? undefined : await readTools(library, flags.tools, flags)
  const model = await openModel(library, terminal, modelName, flags, signal)
  try {
    const session = new ChatSession(model, {
      generation: generateOptions(flags),
      modelName,
      seed: flags.seed ?? randomSeed(),
      raw: flags.raw === true,
      system: flags.system,
      tools,
      prefixStrength: flags.adapterStrength ?? 1,
    })
    const prefixes = flags.adapter ?? []
    for (const path of prefixes) await session.usePrefix(path, signal)
    await session.usePrefix(prefixes[0], signal)
    await use(session)
  } finally {
    model.dispose()
  }
}

async function readTools(library: Library, path: string, flags: TextFlags): Promise<object> {
  const expected = 'expected JSON: a list of descriptions of tools, or an object with one by each name'
  let tools: unknown
  try {
    tools = library.parseJson(await readText(library, path, flags))
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
    throw new CommandError(`${path}: ${expected} (${error.message}).`)
  }
  if (typeof tools !== 'object' || tools === null || tools instanceof Number)
    throw new CommandError(`${path}: ${expected}.`)
  return tools
}
