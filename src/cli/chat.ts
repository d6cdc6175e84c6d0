import { Command } from 'commander'
import type { Context } from './context.js'
import { BUNDLED_WEIGHTS, demo } from './demo.js'
import { UsageError } from './errors.js'
import { adapterStrength, addGenerationOptions, collect } from './generation-options.js'
import { interruptible } from './interrupt.js'
import type { CliModel, Library } from './library.js'
import { addModelOptions, MODEL_HELP, misplacedModel } from './model-options.js'
import { answerOnce } from './one-shot.js'
import { type SessionFlags, withSession } from './open-session.js'
import { BUNDLED_MODEL, bundledPrefixes } from './package-files.js'
import { encodingOption, readPipe, type TextFlags } from './read-text.js'
import { runRepl } from './repl.js'
import type { Terminal } from './terminal.js'

interface ChatFlags extends SessionFlags {
  readonly json?: true
  readonly stats?: true
  readonly demo?: true
}

const EXAMPLES = `
Examples:
  $ chatglm chat                                       talk with the bundled model
  $ chatglm chat models/chatglm3-6b-int4               talk with another one
  $ chatglm chat tiny '你好'                           one answer
  $ chatglm chat tiny --prefix poem '类型#裙*颜色#红色'  one of its prefixes, by name
  $ git diff | chatglm chat models/chatglm3-6b-int4 --system 'Review this patch.'
  $ chatglm chat models/chatglm3-6b-int4 --prefix adgen/checkpoint-1000 --raw '类型#裙*颜色#红色'
`

export function chatCommand(context: Context): Command {
  const command = new Command('chat')
    .description('talk with a model, or answer one prompt')
    .argument('[model]', `${MODEL_HELP}, or ${BUNDLED_MODEL}, the bundled one`, BUNDLED_MODEL)
    .argument('[prompt...]', 'answer this and leave; so does a prompt from a pipe')
    .option('--system <text>', 'the system prompt')
    .option('--tools <file>', 'a JSON file that describes the tools that the model may call')
    .addOption(encodingOption())
    .option(
      '--prefix, --adapter <path>',
      'a P-Tuning v2 prefix or a LoRA adapter; repeatable, the first is used and /prefix changes it',
      collect,
    )
    .option(
      '--prefix-strength, --adapter-strength <number>',
      'from 0, as without it, to 1, as trained (default: 1)',
      adapterStrength,
    )
    .option('--raw', 'continue prompts as they are, as prefixes of prompt and response pairs expect')
    .option('--json', 'print the answer to one prompt as a JSON object')
    .option('--stats', 'say all about the answer: tokens, times, seed, memory')
    .option(
      '--demo',
      'show what this is: answers of the bundled model without and with its prefixes, then a chat',
    )
  addModelOptions(command)
  command.addOption(misplacedModel('chat'))
  addGenerationOptions(command)
  return command
    .addHelpText('after', EXAMPLES)
    .action((model: string, prompt: string[], flags: ChatFlags) => chat(context, model, prompt, flags))
}

async function chat(
  context: Context,
  model: string,
  words: readonly string[],
  flags: ChatFlags,
): Promise<void> {
  const { terminal } = context
  if (flags.raw && (flags.system !== undefined || flags.tools !== undefined)) {
    throw new UsageError('--raw continues a text, so that it takes neither --system nor --tools.')
  }
  if (flags.demo) {
    if (words.length > 0 || flags.json)
      throw new UsageError('--demo brings its own prompt; leave the others out.')
    return interruptible(terminal, (signal) => demo(context, flags, signal))
  }
  const prompt = await promptFrom(words, context, flags)
  if (prompt === undefined && flags.json)
    throw new UsageError('--json prints the answer to one prompt: give one.')
  if (prompt !== undefined && (flags.adapter?.length ?? 0) > 1) {
    throw new UsageError('One prompt is answered with one adapter: give a single --prefix or --adapter.')
  }
  await interruptible(terminal, (signal) =>
    withSession(context, model, flags, signal, async (session) => {
      if (prompt !== undefined) {
        const { json = false, stats = false } = flags
        const library = await context.loadLibrary()
        return answerOnce(session, prompt, { library, terminal }, { json, stats }, signal)
      }
      greet(terminal, model, session.model, await context.loadLibrary())
      await runRepl(session, terminal, signal, context.debug())
    }),
  )
}

/**
 * The prompt of the arguments, or of a pipe.
 * @returns undefined where the user is to be asked
 */
async function promptFrom(
  words: readonly string[],
  { terminal, loadLibrary }: Context,
  flags: TextFlags,
): Promise<string | undefined> {
  if (words.length > 0) {
    const prompt = words.join(' ')
    if (prompt.trim() === '')
      throw new UsageError('The prompt is empty: give one, or leave it out for a chat.')
    return prompt
  }
  if (terminal.interactive) return undefined
  const { stdin } = terminal.io
  const piped = stdin.isTTY ? '' : (await readPipe(loadLibrary, terminal.io, flags)).trim()
  if (piped !== '') return piped
  throw new UsageError(
    'There is no prompt: give one as an argument or by a pipe, or start the chat on a terminal.',
  )
}

/** Says whom the user talks with, and how to be helped. */
function greet(terminal: Terminal, modelName: string, { adapter }: CliModel, library: Library): void {
  const { colors } = terminal
  const slow = library.isSoftwareAdapter(adapter) ? ', the software adapter (slow)' : ''
  terminal.say(`${colors.bold(library.showUrl(modelName))} on ${library.adapterName(adapter)}${slow}`)
  if (modelName === BUNDLED_MODEL)
    terminal.say(`${BUNDLED_WEIGHTS} Prefixes: ${bundledPrefixes().join(', ')}.`)
  terminal.note('/help lists the commands, Ctrl-C stops an answer, /exit leaves.')
  terminal.say()
}
