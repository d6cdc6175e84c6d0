import { signal } from '@preact/signals'
import { answer, NOTHING_YET, setLive } from '../chat/answering.js'
import { exclusively } from '../chat/session.js'
import { currentSettings } from '../conversation/store.js'
import type { Answer, PrefixChoice } from '../conversation/types.js'
import { requireModel } from '../model/model.js'

/** A prompt and its two answers. */
export interface Round {
  readonly id: string
  readonly prompt: string
  readonly answers: readonly [Answer, Answer]
}

const NONE: PrefixChoice = { name: null, strength: 1 }

export const sides = signal<readonly [PrefixChoice, PrefixChoice]>([NONE, NONE])

/** Newest last. They are not kept. */
export const rounds = signal<readonly Round[]>([])

const unanswered = (prefix: PrefixChoice): Answer => ({ kind: 'answer', segments: [], messages: [], prefix })

function put(id: string, index: number, content: Answer): void {
  rounds.value = rounds.value.map((round) => {
    if (round.id !== id) return round
    const [left, right] = round.answers
    return { ...round, answers: index === 0 ? [content, right] : [left, content] }
  })
}

/** Asks with both prefixes, one after the other: from the same seed, so that the prefix alone makes the difference. */
export function compare(prompt: string): Promise<void> {
  return exclusively(async (stop) => {
    const settings = currentSettings.value
    const seed = settings.sampling.seed ?? Math.floor(Math.random() * 2 ** 32)
    const id = crypto.randomUUID()
    const [left, right] = sides.value
    rounds.value = [...rounds.value, { id, prompt, answers: [unanswered(left), unanswered(right)] }]
    const path = [{ id, parent: null, content: { kind: 'question', text: prompt } as const }]
    for (const [index, prefix] of [left, right].entries()) {
      const liveId = `${id}-${index}`
      setLive(liveId, NOTHING_YET)
      const ready = await requireModel()
      const request = { path, settings, prefix, seed, signal: stop }
      const content: Answer = ready
        ? await answer(ready.model, request, (live) => setLive(liveId, live))
        : { ...unanswered(prefix), end: 'stopped' }
      put(id, index, content)
      setLive(liveId, undefined)
    }
  })
}
