import { invalidOption } from '../../../errors/index.js'
import type { Place, RuleNetwork } from './network.js'

/** Where rules go on that are not at their end yet, the innermost first. */
interface Stack {
  readonly id: number
  readonly to: Place
  readonly below: Stack | undefined
}

interface Item {
  readonly place: Place
  readonly stack: Stack | undefined
}

/** Everything that a text may be in the middle of. */
export interface State {
  /** Places that a byte leads on from. */
  readonly items: readonly Item[]
  /** Whether the text may end here. */
  readonly mayEnd: boolean
  /** States by the next byte, null where there is none; undefined until somebody asks. */
  next?: readonly (State | null)[]
  /** Ids of tokens that may come next, where somebody asked: u32 [words] */
  mask?: Uint32Array<ArrayBuffer>
  /** Bytes that must come next, where somebody asked. */
  forced?: readonly number[]
}

/** The most bytes that are told to come for certain. */
const MOST_FORCED = 256

/** States that are kept; then all are found anew. */
const MOST_STATES = 4000

/** In how many ways a text may be read at once: a grammar that doubles them with each character would take all memory. */
const MOST_ITEMS = 10_000

/** The longest that finding out what may come next may take, in milliseconds: everybody else waits meanwhile. */
const MOST_MILLISECONDS = 2000

/** Follows texts of a grammar byte by byte. What it has found once it knows. */
export class Automaton {
  readonly #root: RuleNetwork
  /** When what is asked for must be found, by the clock of `performance`. */
  #deadline = Number.POSITIVE_INFINITY
  #states = new Map<string, State>()
  #stacks = new Map<string, Stack>()
  #stackIds = 0
  #start: State | undefined

  constructor(root: RuleNetwork) {
    this.#root = root
  }

  /** Before the first byte. */
  get start(): State {
    this.#start ??= this.#stateOf([{ place: this.#root.start, stack: undefined }])
    return this.#start
  }

  /** Finds something in a limited time. @throws `option.invalid` where it takes longer */
  limited<T>(find: () => T, milliseconds = MOST_MILLISECONDS): T {
    this.#deadline = performance.now() + milliseconds
    try {
      return find()
    } finally {
      this.#deadline = Number.POSITIVE_INFINITY
    }
  }

  /** The states behind each byte; null where no text goes on with it. */
  next(state: State): readonly (State | null)[] {
    state.next ??= this.#find(state)
    return state.next
  }

  /** The bytes that every text goes on with behind a state, up to where it may end or go on in several ways. */
  forced(state: State): readonly number[] {
    if (state.forced) return state.forced
    const bytes: number[] = []
    for (let at = state; !at.mayEnd && bytes.length < MOST_FORCED; ) {
      const next = this.next(at)
      const byte = next.findIndex((one) => one !== null)
      if (byte < 0 || next.some((one, other) => one !== null && other !== byte)) break
      bytes.push(byte)
      at = next[byte]!
    }
    state.forced = bytes
    return bytes
  }

  #find({ items }: State): readonly (State | null)[] {
    if (performance.now() > this.#deadline) {
      const expected = 'rules of which fewer hold for the same text'
      throw invalidOption('constraint', 'one that takes too long to follow', expected)
    }
    const next = new Array<State | null>(256).fill(null)
    // Bytes between two limits lead to the same.
    const limits = new Set<number>()
    for (const { place } of items) {
      for (const { first, last } of place.bytes) limits.add(first).add(last + 1)
    }
    const sorted = [...limits].sort((a, b) => a - b)
    sorted.forEach((byte, i) => {
      const reached: Item[] = []
      for (const { place, stack } of items) {
        for (const { first, last, to } of place.bytes) {
          if (first <= byte && byte <= last) reached.push({ place: to, stack })
        }
      }
      if (reached.length > 0) next.fill(this.#stateOf(reached), byte, sorted[i + 1])
    })
    return next
  }

  #push(to: Place, below: Stack | undefined): Stack {
    const key = `${to.id} ${below?.id}`
    const known = this.#stacks.get(key)
    if (known) return known
    const stack = { id: this.#stackIds++, to, below }
    this.#stacks.set(key, stack)
    return stack
  }

  /** The state of some items, and of all that is reached from them without a byte. */
  #stateOf(reached: Item[]): State {
    const found = new Map<string, Item>()
    let mayEnd = false
    for (let item = reached.pop(); item; item = reached.pop()) {
      const { place, stack } = item
      const key = `${place.id} ${stack?.id}`
      if (found.has(key)) continue
      found.set(key, item)
      if (found.size > MOST_ITEMS) {
        throw invalidOption(
          'constraint',
          'one that reads a text in too many ways',
          'rules that tell texts apart earlier',
        )
      }
      for (const to of place.free) reached.push({ place: to, stack })
      for (const { rule, to } of place.calls) {
        // Where the call is the last of its rule there is nothing to come back to, or lists would pile up.
        reached.push({ place: rule.start, stack: to.isEnd ? stack : this.#push(to, stack) })
      }
      if (!place.isEnd) continue
      if (stack) reached.push({ place: stack.to, stack: stack.below })
      else mayEnd = true
    }
    const keys = [...found].filter(([, { place }]) => place.bytes.length > 0).map(([key]) => key)
    const key = `${mayEnd} ${keys.sort().join()}`
    const known = this.#states.get(key)
    if (known) return known
    if (this.#states.size === MOST_STATES) {
      this.#states = new Map()
      this.#stacks = new Map()
      this.#start = undefined
    }
    const state: State = { items: keys.map((one) => found.get(one)!), mayEnd }
    this.#states.set(key, state)
    return state
  }
}
