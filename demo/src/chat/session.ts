import { computed, signal } from '@preact/signals'
import { parseJson, pythonJson } from '../../../src/index.js'
import { pendingCall, toolNamed } from '../conversation/messages.js'
import { conversationById, current, save } from '../conversation/store.js'
import { pathTo, withAlternative, withContent, withTurn } from '../conversation/tree.js'
import type { Answer, Conversation, Turn } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { requireModel } from '../model/model.js'
import { report } from '../problems/problems.js'
import { runTool } from '../tools/sandbox.js'
import { answer, NOTHING_YET, setLive } from './answering.js'

/** After so many calls in a row the user is asked. */
const MAX_CALLS_IN_A_ROW = 5
const TITLE_LENGTH = 40

/** Ends what is being written. */
const running = signal<AbortController | undefined>(undefined)

/** Whether an answer is being written, in any conversation. */
export const isAnswering = computed(() => running.value !== undefined)

/** What a screen reader should say now. */
export const announcement = signal('')

/** Ends the answer that is being written; what has come so far stays. */
export function stopAnswer(): void {
  running.value?.abort(new DOMException('Stopped by the user.', 'AbortError'))
}

const newTurn = (parent: string | null, content: Turn['content']): Turn => ({
  id: crypto.randomUUID(),
  parent,
  content,
})

function titleOf(text: string): string {
  const [line] = text.trim().split('\n')
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH).trimEnd()}…` : line
}

/** Asks a question at the end of the shown conversation. */
export function ask(text: string): Promise<void> {
  return askBehind(current.value, current.value.current, text)
}

/** Asks another question in the place of one, as a branch beside it. */
export function askInstead(question: Turn, text: string): Promise<void> {
  return askBehind(current.value, question.parent, text)
}

async function askBehind(conversation: Conversation, parent: string | null, text: string): Promise<void> {
  const titled = conversation.title === '' ? { ...conversation, title: titleOf(text) } : conversation
  const question = newTurn(parent, { kind: 'question', text })
  save(withTurn(titled, question))
  await answerTo(titled.id, question.id)
}

/** Answers once more, as a branch beside the answer. */
export async function answerAgain(turn: Turn): Promise<void> {
  if (turn.parent !== null) await answerTo(current.value.id, turn.parent)
}

/** Answers in the place of a tool, and lets the model go on. */
export async function answerAsTool(call: Turn, tool: string, text: string): Promise<void> {
  const observation = newTurn(call.id, { kind: 'observation', tool, text, by: 'hand' })
  save(withTurn(current.value, observation))
  await answerTo(current.value.id, observation.id)
}

export function showAlternative(turn: Turn, step: number): void {
  save(withAlternative(current.value, turn, step))
}

/** Does one thing at a time that has the model write; `stopAnswer` ends it. */
export async function exclusively(work: (stop: AbortSignal) => Promise<void>): Promise<void> {
  if (running.value) return
  const controller = new AbortController()
  running.value = controller
  announcement.value = strings.value.chat.answering
  try {
    await work(controller.signal)
  } catch (error) {
    report(error)
  } finally {
    running.value = undefined
    announcement.value = strings.value.chat.answered
  }
}

/** Has the model answer the turn `parent`, and its tools the model, until there is an answer for the user. */
function answerTo(conversationId: string, parent: string): Promise<void> {
  return exclusively(async (stop) => {
    let behind: string | undefined = parent
    for (let calls = 0; behind !== undefined; calls++) {
      const turn = await writeAnswer(conversationId, behind, stop)
      behind = calls < MAX_CALLS_IN_A_ROW ? await callTool(conversationId, turn, stop) : undefined
    }
  })
}

/** @returns the turn of the finished answer */
async function writeAnswer(conversationId: string, parent: string, signal: AbortSignal): Promise<Turn> {
  const conversation = found(conversationId)
  const { settings } = conversation
  const empty: Answer = { kind: 'answer', segments: [], messages: [], prefix: settings.prefix }
  const turn = newTurn(parent, empty)
  save(withTurn(conversation, turn))
  setLive(turn.id, NOTHING_YET)
  const ready = await requireModel(signal)
  const request = {
    path: pathTo(conversation.turns, parent),
    settings,
    prefix: settings.prefix,
    seed: settings.sampling.seed,
    signal,
  }
  const content: Answer = ready
    ? await answer(ready.model, request, (live) => setLive(turn.id, live))
    : { ...empty, end: 'stopped' }
  save(withContent(found(conversationId), turn.id, content))
  setLive(turn.id, undefined)
  return { ...turn, content }
}

/** @returns the turn with what the tool answered; undefined where there is no call, or nothing to run for it */
async function callTool(
  conversationId: string,
  turn: Turn,
  signal: AbortSignal,
): Promise<string | undefined> {
  const conversation = found(conversationId)
  const call = turn.content.kind === 'answer' ? pendingCall(turn.content) : undefined
  const tool = call && toolNamed(conversation.settings.tools, call.name)
  if (!call || !tool || tool.body.trim() === '') return undefined
  const result = await runTool(tool.body, call.parameters, signal).catch(() => undefined)
  if (!result) return undefined
  // As the model saw observations: with spaces that JavaScript leaves out.
  const text = pythonJson('value' in result ? parseJson(result.value) : { error: result.error })
  const observation = newTurn(turn.id, { kind: 'observation', tool: call.name, text, by: 'code' })
  save(withTurn(found(conversationId), observation))
  return observation.id
}

function found(id: string): Conversation {
  const conversation = conversationById(id)
  // Deleted while it was answered: there is nobody to tell.
  if (!conversation) throw new DOMException('The conversation was deleted.', 'AbortError')
  return conversation
}
