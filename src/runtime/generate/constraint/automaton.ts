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
}

/** States that are kept; then all are found anew. */
const MOST_STATES = 4000

/** In how many ways a text may be read at once: a grammar that doubles them with each character would take all memory. */
const MOST_ITEMS = 10_000

/** Follows texts of a grammar byte by byte. What it has found once it knows. */
export class Automaton {
  readonly #root: RuleNetwork
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

  /** The states behind each byte; null where no text goes on with it. */
  next(state: State): readonly (State | null)[] {
    state.next ??= this.#find(state)
    return state.next
  }

  #find({ items }: State): readonly (State | null)[] {
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
