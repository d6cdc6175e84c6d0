import type { GenerateOptions } from '../index.js'
import { AnswerView, speedOf } from './answer-view.js'
import type { ChatSession } from './chat-session.js'
import type { Context } from './context.js'
import { count } from './format.js'
import { generateOptions } from './generation-options.js'
import type { CliModel } from './library.js'
import { type SessionFlags, withSession } from './open-session.js'
import { BUNDLED_MODEL, bundledPrefixes } from './package-files.js'
import { runRepl } from './repl.js'
import type { Terminal } from './terminal.js'

const GREETING = 'Hello! Who are you?'
/** A list of attributes is what the prefixes were trained on; the model alone answers it too, in its own way. */
const ATTRIBUTES = '类型#裙*颜色#红色*风格#简约*图案#碎花*裙长#中长款'

/** What everybody must know who reads an answer of the bundled model. */
export const BUNDLED_WEIGHTS =
  'It is small, was trained from nothing on text that this project wrote, and knows little else.'

/** Shows what this is: one question to the bundled model without and with each prefix, and on a terminal a chat. */
export async function demo(context: Context, flags: SessionFlags, signal: AbortSignal): Promise<void> {
  const { terminal } = context
  const { colors, io } = terminal
  const library = await context.loadLibrary()
  const { info } = await library.requestAdapter(flags.device)
  const name = colors.bold(library.adapterName(info))
  terminal.say(
    library.isSoftwareAdapter(info)
      ? `Adapter: ${name}, a software adapter on the CPU. To use a GPU, install its Vulkan driver.`
      : `Adapter: ${name}, your GPU.`,
  )
  await withSession(context, BUNDLED_MODEL, flags, signal, async (session) => {
    terminal.say(`Model:   ${colors.bold('models/tiny')}. ${BUNDLED_WEIGHTS}`)
    terminal.say()
    terminal.say(question(GREETING, terminal))
    await answerPrompt(session.model, GREETING, { ...optionsOf(flags), signal }, terminal)
    await comparePrefixes(session, flags, terminal, signal)
    if (!terminal.interactive || !io.stdout.isTTY) return
    const [prefix] = bundledPrefixes()
    terminal.note(`Now you: /prefix ${prefix} takes a prefix, /help lists the commands, /exit leaves.`)
    terminal.say()
    await runRepl(session, terminal, signal, context.debug())
  })
}

/** Asks the same question of the model alone and with each of its prefixes; the chat finds these loaded. */
async function comparePrefixes(
  session: ChatSession,
  flags: SessionFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { colors } = terminal
  const inChat = session.prefixName
  terminal.say('The same question, without and with a P-Tuning v2 prefix. The weights stay as they are.')
  terminal.say()
  terminal.say(question(ATTRIBUTES, terminal))
  terminal.say()
  for (const name of [undefined, ...bundledPrefixes()]) {
    await session.usePrefix(name, signal)
    const prefix = name === undefined ? undefined : session.prefixes.get(name)
    terminal.say(
      prefix
        ? `${colors.bold(`prefix ${name}`)} ${colors.dim(`(${count(prefix.length, 'row')})`)}`
        : colors.bold('no prefix'),
    )
    await answerPrompt(session.model, ATTRIBUTES, { ...optionsOf(flags), prefix, signal }, terminal)
  }
  await session.usePrefix(inChat, signal)
}

/** Greedily unless the user wants otherwise: the demonstration is the same every time. */
function optionsOf(flags: SessionFlags): GenerateOptions {
  return { ...generateOptions(flags), temperature: flags.temperature ?? 0, seed: flags.seed }
}

const question = (text: string, { colors }: Terminal) => `${colors.cyan('›')} ${text}`

/** Answers a question that stands alone, and says how fast. */
async function answerPrompt(
  model: CliModel,
  content: string,
  options: GenerateOptions,
  terminal: Terminal,
): Promise<void> {
  const view = new AnswerView(terminal)
  try {
    for await (const delta of model.chat([{ role: 'user', content }], options)) view.show(delta)
  } finally {
    view.end()
  }
  terminal.note(speedOf(model.stats))
  terminal.say()
}
