import { signal } from '@preact/signals'
import { answer, NOTHING_YET, setLive } from '../chat/answering.js'
import { exclusively } from '../chat/session.js'
import { DEFAULT_SETTINGS } from '../conversation/defaults.js'
import { currentSettings } from '../conversation/store.js'
import type { Answer, ConversationSettings, PrefixChoice } from '../conversation/types.js'
import { requireModel } from '../model/model.js'
import { SHIPPED_PREFIXES, SHIPPED_QUESTION } from '../model/shipped.js'
import { show } from '../shell/route.js'

/** A prompt and its answers, one with each prefix. */
export interface Round {
  readonly id: string
  readonly prompt: string
  readonly answers: readonly Answer[]
}

const NONE: PrefixChoice = { name: null, strength: 1 }

/** What is compared: two, or three, as many as the small model and its prefixes are. */
export const sides = signal<readonly PrefixChoice[]>([NONE, NONE])

/** Newest last. They are not kept. */
export const rounds = signal<readonly Round[]>([])

const unanswered = (prefix: PrefixChoice): Answer => ({ kind: 'answer', segments: [], messages: [], prefix })

function put(id: string, index: number, content: Answer): void {
  rounds.value = rounds.value.map((round) => {
    if (round.id !== id) return round
    return { ...round, answers: round.answers.with(index, content) }
  })
}

/** Adds a third side, or takes it away. */
export function toggleThird(): void {
  const [left, right] = sides.value
  sides.value = sides.value.length === 2 ? [left, right, NONE] : [left, right]
}

/** Shows what prefixes are: the small model answers one question alone and with each of its own. */
export function compareShipped(): Promise<void> {
  sides.value = [NONE, ...SHIPPED_PREFIXES.map((name) => ({ name, strength: 1 }))]
  show('compare')
  // A system prompt is nothing that they were trained with.
  const { sampling } = currentSettings.value
  return compareWith({ ...DEFAULT_SETTINGS, sampling }, SHIPPED_QUESTION)
}

/** Asks with every prefix, one after the other: from the same seed, so that the prefix alone makes the difference. */
export function compare(prompt: string): Promise<void> {
  return compareWith(currentSettings.value, prompt)
}

function compareWith(current: ConversationSettings, prompt: string): Promise<void> {
  return exclusively(async (stop) => {
    // A call would be the end: nobody answers it here.
    const settings = { ...current, tools: [] }
    const seed = settings.sampling.seed ?? Math.floor(Math.random() * 2 ** 32)
    const id = crypto.randomUUID()
    const prefixes = sides.value
    rounds.value = [...rounds.value, { id, prompt, answers: prefixes.map(unanswered) }]
    const path = [{ id, parent: null, content: { kind: 'question', text: prompt } as const }]
    for (const [index, prefix] of prefixes.entries()) {
      const liveId = `${id}-${index}`
      setLive(liveId, NOTHING_YET)
      const ready = await requireModel(stop)
      const request = { path, settings, prefix, seed, signal: stop }
      const content: Answer = ready
        ? await answer(ready.model, request, (live) => setLive(liveId, live))
        : { ...unanswered(prefix), end: 'stopped' }
      put(id, index, content)
      setLive(liveId, undefined)
    }
  })
}
