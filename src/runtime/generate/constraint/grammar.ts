import { ALL, type CodePoints, complement, union } from './ebnf.js'

/** What a rule, or a part of one, stands for. */
export type Expression =
  | { readonly type: 'characters'; readonly ranges: CodePoints }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'rule'; readonly name: string }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Expression[] }
  | {
      readonly type: 'repeat'
      readonly part: Expression
      readonly least: number
      readonly most: number | undefined
    }

/** Rules by their names. */
export type Grammar = ReadonlyMap<string, Expression>

/** What is wrong with a grammar, and in which line. */
export class GrammarProblem extends Error {}

const MOST_BOUND = 10_000
const MOST_DEPTH = 200
const NAME = /[A-Za-z_][A-Za-z0-9_-]*/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' }

/**
 * Reads EBNF in the manner of GBNF: rules `name ::= ...` of texts in quotes, classes of characters in brackets, `.` for any
 * character, names of rules, groups, `|`, and the repetitions `* + ? {n} {n,} {n,m}`. `#` begins a comment.
 */
class GrammarReader {
  readonly #source: string
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
  }

  read(): Grammar {
    const rules = new Map<string, Expression>()
    this.#space()
    while (this.#at < this.#source.length) {
      const name = this.#name()
      if (name === undefined || !this.#take('::=')) throw this.#problem('expected a rule, name ::= ...')
      if (rules.has(name)) throw this.#problem(`the rule ${name} is there twice`)
      rules.set(name, this.#choice())
    }
    return rules
  }

  #problem(what: string): GrammarProblem {
    const line = this.#source.slice(0, this.#at).split('\n').length
    return new GrammarProblem(`line ${line}: ${what}`)
  }

  /** Goes on behind spaces and comments. */
  #space(): void {
    const space = /(\s|#[^\n]*)*/y
    space.lastIndex = this.#at
    space.test(this.#source)
    this.#at = space.lastIndex
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    this.#space()
    return true
  }

  #name(): string | undefined {
    NAME.lastIndex = this.#at
    const found = NAME.exec(this.#source)?.[0]
    if (found === undefined) return undefined
    this.#at += found.length
    this.#space()
    return found
  }

  #choice(): Expression {
    if (++this.#depth > MOST_DEPTH) throw this.#problem('groups are too deep')
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    this.#depth--
    return parts.length === 1 ? parts[0] : { type: 'choice', parts }
  }

  #sequence(): Expression {
    const parts: Expression[] = []
    while (true) {
      const atom = this.#atom()
      if (!atom) return parts.length === 1 ? parts[0] : { type: 'sequence', parts }
      parts.push(this.#repeated(atom))
    }
  }

  #atom(): Expression | undefined {
    if (this.#take('(')) {
      const inner = this.#choice()
      if (!this.#take(')')) throw this.#problem('expected )')
      return inner
    }
    if (this.#take('.')) return { type: 'characters', ranges: ALL }
    const character = this.#source[this.#at]
    if (character === '"') return this.#text()
    if (character === '[') return this.#class()
    const start = this.#at
    const name = this.#name()
    if (name === undefined) {
      const ends = character === undefined || '|)'.includes(character)
      if (!ends) throw this.#problem(`${JSON.stringify(character)} has no meaning here`)
      return undefined
    }
    if (!this.#source.startsWith('::=', this.#at)) return { type: 'rule', name }
    // The next rule.
    this.#at = start
    return undefined
  }

  #repeated(atom: Expression): Expression {
    const repeat = (least: number, most: number | undefined): Expression =>
      this.#repeated({ type: 'repeat', part: atom, least, most })
    if (this.#take('*')) return repeat(0, undefined)
    if (this.#take('+')) return repeat(1, undefined)
    if (this.#take('?')) return repeat(0, 1)
    const bounds = /\{\s*(\d+)\s*(,\s*(\d*)\s*)?\}/y
    bounds.lastIndex = this.#at
    const found = bounds.exec(this.#source)
    if (!found) return atom
    const least = Number(found[1])
    const most = found[2] === undefined ? least : found[3] === '' ? undefined : Number(found[3])
    if (Math.max(least, most ?? 0) > MOST_BOUND || (most !== undefined && most < least)) {
      throw this.#problem(`the bounds ${found[0]}: they go up to ${MOST_BOUND}, the lower one first`)
    }
    this.#take(found[0])
    return repeat(least, most)
  }

  /** The character at hand, and goes on behind it. */
  #character(end: string): string | undefined {
    const code = this.#source.codePointAt(this.#at)
    if (code === undefined || code === 0x0a) throw this.#problem(`expected ${end}`)
    const character = String.fromCodePoint(code)
    this.#at += character.length
    if (character === end) return undefined
    return character === '\\' ? this.#escape() : character
  }

  #escape(): string {
    const letter = this.#source[this.#at++] ?? ''
    const digits = { x: 2, u: 4, U: 8 }[letter]
    if (digits === undefined) {
      if (letter in ESCAPES) return ESCAPES[letter]
      if (/[A-Za-z0-9\n]|^$/.test(letter)) throw this.#problem(`\\${letter} has no meaning`)
      return letter
    }
    const hex = this.#source.slice(this.#at, this.#at + digits)
    const code = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw this.#problem(`\\${letter}${hex} is not a character`)
    }
    this.#at += digits
    return String.fromCodePoint(code)
  }

  #text(): Expression {
    this.#at++
    let text = ''
    for (let one = this.#character('"'); one !== undefined; one = this.#character('"')) text += one
    this.#space()
    if (/\p{Surrogate}/u.test(text)) throw this.#problem('half of a character')
    return { type: 'text', text }
  }

  #class(): Expression {
    this.#at++
    const negated = this.#source[this.#at] === '^'
    if (negated) this.#at++
    const ranges: [number, number][] = []
    for (let one = this.#character(']'); one !== undefined; one = this.#character(']')) {
      const first = one.codePointAt(0)!
      const isRange = this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']'
      if (isRange) this.#at++
      const last = isRange ? (this.#character(']') ?? '').codePointAt(0)! : first
      if (last < first) throw this.#problem('a range of characters goes from the lower to the higher')
      ranges.push([first, last])
    }
    this.#space()
    return { type: 'characters', ranges: negated ? complement(ranges) : union(ranges) }
  }
}

/**
 * Reads a grammar.
 * @throws GrammarProblem naming the line
 */
export function readGrammar(source: string): Grammar {
  const rules = new GrammarReader(source).read()
  if (!rules.has('root')) throw new GrammarProblem('there is no rule root')
  return rules
}
