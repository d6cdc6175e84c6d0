import { speedOf } from './answer-view.js'
import type { Context } from './context.js'
import { generateOptions } from './generation-options.js'
import type { CliModel } from './library.js'
import { type SessionFlags, withSession } from './open-session.js'
import { BUNDLED_MODEL } from './package-files.js'
import { runRepl } from './repl.js'
import type { Terminal } from './terminal.js'

/** The prompt of the demonstration. */
const PROMPT = '你好！请介绍一下你自己。'
const MAX_TOKENS = 48

/** What everybody must know who reads an answer of the bundled model. */
export const BUNDLED_WEIGHTS =
  'Its weights are RANDOM: every answer is noise, until a trained small model ships with the package.'

/** Shows what this is: one answer of the bundled model, and on a terminal a chat after it. */
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
    terminal.say(`${colors.cyan('›')} ${PROMPT}`)
    await answerPrompt(session.model, flags, terminal, signal)
    terminal.say()
    if (!terminal.interactive || !io.stdout.isTTY) return
    terminal.note('Now you: the chat goes on. /help lists the commands, /exit leaves.')
    terminal.say()
    await runRepl(session, terminal, signal, context.debug())
  })
}

/** Answers the demonstration's prompt, token by token, as it comes: random weights write no segments. */
async function answerPrompt(
  model: CliModel,
  flags: SessionFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  terminal.wait()
  try {
    const options = {
      ...generateOptions(flags),
      maxTokens: flags.maxTokens ?? MAX_TOKENS,
      seed: flags.seed,
      signal,
    }
    for await (const { text } of model.generate([{ role: 'user', content: PROMPT }], options))
      terminal.write(text)
  } finally {
    terminal.endLine()
  }
  terminal.note(speedOf(model.stats))
}
