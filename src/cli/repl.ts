import { hasCode } from '../errors/index.js'
import { AnswerView, remarks, speedOf } from './answer-view.js'
import type { Answer, ChatSession, Question } from './chat-session.js'
import { InterruptedError, reportError } from './errors.js'
import { LineEditor } from './line-editor.js'
import { type ChatState, type Next, parseSlashCommand, runSlashCommand } from './slash-commands.js'
import type { Terminal } from './terminal.js'

/**
 * Talks with the user until they leave.
 * @param signal ends the chat from outside
 * @param debug whether errors show where they come from
 * @throws errors that leave no model to talk with, and the signal's reason
 */
export async function runRepl(
  session: ChatSession,
  terminal: Terminal,
  signal: AbortSignal,
  debug: boolean,
): Promise<void> {
  const { io, colors } = terminal
  const state: ChatState = { session, terminal, answer: undefined, prefixAdvised: false }
  const editor = new LineEditor(io.stdin, io.stderr, colors.bold(colors.cyan('› ')), colors.dim('… '))
  /** Runs what may take long; Ctrl-C and failures end it and not the chat. */
  const attempt = async (work: (signal: AbortSignal) => Promise<Next>): Promise<Next> => {
    try {
      return await editor.during(work)
    } catch (error) {
      // After these the model is gone.
      if (hasCode(error, 'device.lost', 'device.disposed', 'device.failed')) throw error
      if (!(error instanceof InterruptedError)) reportError(error, terminal, debug)
      return 'prompt'
    }
  }
  const close = () => editor.close()
  signal.addEventListener('abort', close)
  try {
    for (let warned = false; ; ) {
      const entry = await editor.read()
      signal.throwIfAborted()
      if (entry.kind === 'end') {
        terminal.say()
        return
      }
      if (entry.kind === 'interrupt') {
        terminal.say()
        if (warned) return
        terminal.note('Ctrl-C again or /exit leaves.')
        warned = true
        continue
      }
      warned = false
      const text = entry.text.trim()
      if (text === '') continue
      let next: Next = { ask: { role: 'user', content: entry.text } }
      const command = parseSlashCommand(text)
      if (command) {
        next = await attempt((signal) => runSlashCommand(state, command.name, command.argument, signal))
      }
      if (next === 'exit') return
      if (next === 'prompt') {
        terminal.say()
        continue
      }
      const question = next === 'ask again' ? undefined : next.ask
      await attempt(async (signal) => {
        state.answer = await answer(session, terminal, question, signal)
        return 'prompt'
      })
      terminal.say()
    }
  } finally {
    signal.removeEventListener('abort', close)
    editor.close()
  }
}

/**
 * Asks and shows the answer as it comes, and its speed.
 * @param question undefined to ask the last one again
 */
async function answer(
  session: ChatSession,
  terminal: Terminal,
  question: Question | undefined,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const view = new AnswerView(terminal)
  try {
    const answer = await (question
      ? session.ask(question, view.show, signal)
      : session.askAgain(view.show, signal))
    view.end()
    if (!answer) {
      terminal.note('There is nothing to ask again yet.')
      return undefined
    }
    for (const remark of remarks(answer)) terminal.say(terminal.colors.yellow(remark))
    if (answer.segments.at(-1)?.type === 'tool-call')
      terminal.note('/observation TEXT gives the answer of the tool.')
    terminal.note(speedOf(answer.stats))
    return answer
  } catch (error) {
    view.end()
    if (signal.aborted) terminal.note(`stopped · ${speedOf(session.model.stats)}`)
    throw error
  }
}
