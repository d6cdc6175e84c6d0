import { type Expression, type Grammar, GrammarProblem } from './grammar.js'
import { utf8Ranges } from './utf8-ranges.js'

/** A place in a rule, and where it goes on from there. */
export interface Place {
  readonly id: number
  /** By a byte. */
  bytes: { readonly first: number; readonly last: number; readonly to: Place }[]
  /** By nothing. */
  free: Place[]
  /** By all of another rule. */
  calls: { readonly rule: RuleNetwork; readonly to: Place }[]
  /** Whether the rule is at its end here; nothing goes on from such a place. */
  readonly isEnd: boolean
}

export interface RuleNetwork {
  readonly start: Place
  readonly end: Place
}

/** The most places: repetitions are written out. */
const MOST_PLACES = 200_000
/** The longest that writing may take, in milliseconds: everybody else waits meanwhile. */
const MOST_MILLISECONDS = 5000
/** Places between two looks at the clock. */
const BETWEEN_LOOKS = 4096

/** Writes a grammar as places and the bytes between them. */
class NetworkWriter {
  readonly places: Place[] = []
  readonly #deadline = performance.now() + MOST_MILLISECONDS
  readonly #grammar: Grammar
  readonly #rules = new Map<string, RuleNetwork>()
  readonly #unwritten: { readonly expression: Expression; readonly rule: RuleNetwork }[] = []

  constructor(grammar: Grammar) {
    this.#grammar = grammar
  }

  rule(name: string): RuleNetwork {
    const known = this.#rules.get(name)
    if (known) return known
    const expression = this.#grammar.get(name)
    if (!expression) throw new GrammarProblem(`there is no rule ${name}`)
    const rule = { start: this.place(), end: this.place(true) }
    this.#rules.set(name, rule)
    this.#unwritten.push({ expression, rule })
    return rule
  }

  /** Writes the rules that were asked for, and those that they ask for: one after the other, however long their chain is. */
  writeRules(): void {
    for (let next = this.#unwritten.pop(); next; next = this.#unwritten.pop()) {
      this.write(next.expression, next.rule.start, next.rule.end)
    }
  }

  place(isEnd = false): Place {
    if (this.places.length === MOST_PLACES) throw new GrammarProblem('it is too large')
    if (this.places.length % BETWEEN_LOOKS === 0 && performance.now() > this.#deadline) {
      throw new GrammarProblem('it takes too long to write out')
    }
    const place: Place = { id: this.places.length, bytes: [], free: [], calls: [], isEnd }
    this.places.push(place)
    return place
  }

  write(expression: Expression, from: Place, to: Place): void {
    switch (expression.type) {
      case 'characters':
        for (const sequence of utf8Ranges(expression.ranges)) this.#bytes(sequence, from, to)
        break
      case 'text': {
        const bytes = Array.from(new TextEncoder().encode(expression.text), (byte) => [byte, byte] as const)
        this.#bytes(bytes, from, to)
        break
      }
      case 'rule':
        from.calls.push({ rule: this.rule(expression.name), to })
        break
      case 'choice':
        for (const part of expression.parts) this.write(part, from, to)
        break
      case 'sequence':
        this.#sequence(expression.parts, from, to)
        break
      case 'repeat':
        this.#repeat(expression, from, to)
    }
  }

  #bytes(sequence: readonly (readonly [number, number])[], from: Place, to: Place): void {
    if (sequence.length === 0) from.free.push(to)
    let place = from
    sequence.forEach(([first, last], i) => {
      const next = i + 1 === sequence.length ? to : this.place()
      place.bytes.push({ first, last, to: next })
      place = next
    })
  }

  #sequence(parts: readonly Expression[], from: Place, to: Place): void {
    if (parts.length === 0) from.free.push(to)
    let place = from
    parts.forEach((part, i) => {
      const next = i + 1 === parts.length ? to : this.place()
      this.write(part, place, next)
      place = next
    })
  }

  #repeat({ part, least, most }: Extract<Expression, { type: 'repeat' }>, from: Place, to: Place): void {
    let place = from
    const once = () => {
      const next = this.place()
      this.write(part, place, next)
      place = next
    }
    for (let i = 0; i < least; i++) once()
    if (most === undefined) {
      const loop = this.place()
      place.free.push(loop)
      this.write(part, loop, loop)
      place = loop
    }
    for (let i = least; i < (most ?? least); i++) {
      place.free.push(to)
      once()
    }
    place.free.push(to)
  }
}

/** From which places a rule comes to its end: by bytes, too, or by none. */
function leadingToEnd(places: readonly Place[], byBytes: boolean): Uint8Array {
  const leads = new Uint8Array(places.length)
  const before: Place[][] = places.map(() => [])
  for (const place of places) {
    if (byBytes) for (const { to } of place.bytes) before[to.id].push(place)
    for (const to of place.free) before[to.id].push(place)
    for (const { rule, to } of place.calls) {
      before[to.id].push(place)
      before[rule.start.id].push(place)
    }
  }
  const isLeading = ({ isEnd, bytes, free, calls }: Place) =>
    isEnd ||
    (byBytes && bytes.some(({ to }) => leads[to.id])) ||
    free.some(({ id }) => leads[id]) ||
    calls.some(({ rule, to }) => leads[rule.start.id] && leads[to.id])
  const toLookAt = places.filter(({ isEnd }) => isEnd)
  for (let place = toLookAt.pop(); place; place = toLookAt.pop()) {
    if (leads[place.id] || !isLeading(place)) continue
    leads[place.id] = 1
    toLookAt.push(...before[place.id])
  }
  return leads
}

/** Takes out what leads to no end. @throws GrammarProblem where nothing is left */
function prune(places: readonly Place[], root: RuleNetwork): void {
  const leads = leadingToEnd(places, true)
  if (!leads[root.start.id]) throw new GrammarProblem('no text of it has an end')
  for (const place of places) {
    place.bytes = place.bytes.filter(({ to }) => leads[to.id])
    place.free = place.free.filter(({ id }) => leads[id])
    place.calls = place.calls.filter(({ rule, to }) => leads[rule.start.id] && leads[to.id])
  }
}

/** Refuses rules that begin with themselves: whoever follows them would never come to a byte. */
function refuseLeftRecursion(places: readonly Place[], rules: ReadonlyMap<RuleNetwork, string>): void {
  const silent = leadingToEnd(places, false)
  /** The rules that are called before the first byte of a rule. */
  const first = new Map<RuleNetwork, Set<RuleNetwork>>()
  const callers = new Map<RuleNetwork, number>()
  for (const rule of rules.keys()) {
    const seen = new Set([rule.start])
    const called = new Set<RuleNetwork>()
    for (const { free, calls } of seen) {
      for (const place of free) seen.add(place)
      for (const call of calls) {
        called.add(call.rule)
        if (silent[call.rule.start.id]) seen.add(call.to)
      }
    }
    first.set(rule, called)
    for (const one of called) callers.set(one, (callers.get(one) ?? 0) + 1)
  }
  // What nobody begins with is in no circle; what is left in the end is in one, or begins with one.
  const free = [...rules.keys()].filter((rule) => !callers.get(rule))
  for (let rule = free.pop(); rule; rule = free.pop()) {
    for (const one of first.get(rule)!) {
      const left = callers.get(one)! - 1
      callers.set(one, left)
      if (left === 0) free.push(one)
    }
  }
  const circular = [...rules].find(([rule]) => (callers.get(rule) ?? 0) > 0)
  if (circular)
    throw new GrammarProblem(`the rule ${circular[1]} begins with itself, or is behind one that does`)
}

/**
 * The network of a grammar's texts behind a space: encoding sets one before a text, and decoding takes it away.
 * @throws GrammarProblem for rules that are missing or begin with themselves, no text that ends, and what is too large
 */
export function writeNetwork(grammar: Grammar): RuleNetwork {
  const writer = new NetworkWriter(grammar)
  const whole: RuleNetwork = { start: writer.place(), end: writer.place(true) }
  const parts: Expression[] = [
    { type: 'text', text: ' ' },
    { type: 'rule', name: 'root' },
  ]
  writer.write({ type: 'sequence', parts }, whole.start, whole.end)
  // Rules that nothing uses must be right, too.
  const rules = new Map([...grammar.keys()].map((name) => [writer.rule(name), name] as const))
  writer.writeRules()
  refuseLeftRecursion(writer.places, rules)
  prune(writer.places, whole)
  return whole
}
