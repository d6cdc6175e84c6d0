import { detailsOf } from './answer-view.js'
import type { Answer, ChatSession, Question } from './chat-session.js'
import { CommandError } from './errors.js'
import { count } from './format.js'
import type { Terminal } from './terminal.js'

/** What the commands of a chat work on. */
export interface ChatState {
  readonly session: ChatSession
  readonly terminal: Terminal
  /** The last whole answer. */
  answer: Answer | undefined
  /** Whether the user heard that another prefix wants a new conversation. */
  prefixAdvised: boolean
}

/** What the chat is to do after a command. */
export type Next = 'prompt' | 'ask again' | 'exit' | { ask: Question }

interface SlashCommand {
  readonly usage: string
  readonly help: string
  run(state: ChatState, argument: string, signal: AbortSignal): Next | Promise<Next>
}

/** Takes `/name argument` apart; a path such as `/usr/bin` is no command but text. */
export function parseSlashCommand(text: string): { name: string; argument: string } | undefined {
  const match = /^\/([a-z]+)(?:[ \t]+(.*))?$/.exec(text.trim())
  return match ? { name: match[1], argument: match[2] ?? '' } : undefined
}

/** @throws CommandError, and what loading a prefix throws */
export async function runSlashCommand(
  state: ChatState,
  name: string,
  argument: string,
  signal: AbortSignal,
): Promise<Next> {
  const command = COMMANDS.find(({ usage }) => usage.split(' ')[0] === `/${name}`)
  if (!command) throw new CommandError(`There is no command /${name}. /help lists those there are.`)
  return command.run(state, argument, signal)
}

const COMMANDS: readonly SlashCommand[] = [
  {
    usage: '/clear',
    help: 'begin a new conversation',
    run({ session, terminal }) {
      session.clear()
      terminal.note('A new conversation.')
      return 'prompt'
    },
  },
  {
    usage: '/regenerate',
    help: 'another answer to the last question',
    run: () => 'ask again',
  },
  {
    usage: '/system [TEXT|none]',
    help: 'show, set or remove the system prompt',
    run({ session, terminal }, argument) {
      if (session.raw) throw new CommandError('Raw prompts have no system prompt.')
      if (argument !== '') session.system = argument === 'none' ? undefined : argument
      terminal.note(session.system === undefined ? 'No system prompt.' : `System prompt: ${session.system}`)
      return 'prompt'
    },
  },
  {
    usage: '/prefix [PATH|none|STRENGTH]',
    help: 'show, load, leave out or weaken the P-Tuning prefix',
    run: usePrefix,
  },
  {
    usage: '/observation TEXT',
    help: 'give the answer of the tool that the model called',
    run({ session }, argument) {
      if (session.raw) throw new CommandError('Raw prompts have no observations.')
      if (argument === '') throw new CommandError('Give the answer of the tool: /observation TEXT')
      if (!session.awaitsObservation)
        throw new CommandError('The last answer called no tool, so that there is nothing to observe.')
      return { ask: { role: 'observation', content: argument } }
    },
  },
  {
    usage: '/stats',
    help: 'speed, tokens, seed and memory of the last answer',
    run({ answer, session, terminal }) {
      if (!answer) throw new CommandError('There is no whole answer yet.')
      for (const line of detailsOf(answer, session.model.memory)) terminal.note(line)
      return 'prompt'
    },
  },
  {
    usage: '/help',
    help: 'this list',
    run({ terminal }) {
      const width = Math.max(...COMMANDS.map(({ usage }) => usage.length))
      for (const { usage, help } of COMMANDS) {
        terminal.say(`${terminal.colors.cyan(usage.padEnd(width))}  ${help}`)
      }
      terminal.note('A backslash at the end of a line continues it. Ctrl-C stops an answer.')
      return 'prompt'
    },
  },
  { usage: '/exit', help: 'leave; so does Ctrl-D', run: () => 'exit' },
]

async function usePrefix(state: ChatState, argument: string, signal: AbortSignal): Promise<Next> {
  const { session, terminal } = state
  const strength = Number(argument)
  const before = session.prefixName
  if (argument === 'none') await session.usePrefix(undefined, signal)
  else if (argument !== '' && Number.isNaN(strength)) await session.usePrefix(argument, signal)
  else if (argument !== '') {
    if (!(strength >= 0 && strength <= 1)) {
      throw new CommandError(`Expected a strength from 0 (no prefix) to 1 (as trained), found ${argument}.`)
    }
    session.prefixStrength = strength
  }
  for (const [name, { length }] of session.prefixes) {
    const mark = name === session.prefixName ? terminal.colors.cyan('●') : '○'
    terminal.say(`${mark} ${name} ${terminal.colors.dim(`(${count(length, 'row')})`)}`)
  }
  terminal.note(
    session.prefixName === undefined ? 'No prefix is in use.' : `Strength ${session.prefixStrength}.`,
  )
  const isAnother = session.prefixName !== undefined && session.prefixName !== before
  if (session.begun && isAnother && !state.prefixAdvised) {
    state.prefixAdvised = true
    terminal.note('Prefixes that learnt from single questions want a new conversation: /clear.')
  }
  return 'prompt'
}
