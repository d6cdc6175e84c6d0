import { type CodePoints, complement, oneOf, repeated, union } from './ebnf.js'
import { type Quotes, quotedCharacter } from './strings.js'

/** The most that the bounds of nested repetitions may come to: the engine writes some of them out. */
const MOST_REPETITIONS = 10_000

const DIGIT: CodePoints = [[0x30, 0x39]]
const WORD: CodePoints = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const SPACE: CodePoints = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const LINE_ENDS: CodePoints = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]
const CLASSES: Readonly<Record<string, CodePoints>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
}
const CONTROLS: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 }

/** What is wrong with a pattern. */
export class PatternProblem extends Error {}

/** Reads a regular expression and writes the strings that it describes as a grammar. */
class PatternReader {
  readonly #characters: readonly string[]
  readonly #quotes: Quotes
  #at = 0

  constructor(pattern: string, quotes: Quotes) {
    this.#characters = Array.from(pattern)
    this.#quotes = quotes
  }

  read(): string {
    const expression = this.#alternatives(1, true)
    if (this.#at < this.#characters.length) throw new PatternProblem(`a bracket too many at ${this.#at}`)
    return expression
  }

  #peek(text: string): boolean {
    return Array.from(text).every((character, i) => this.#characters[this.#at + i] === character)
  }

  #take(text: string): boolean {
    const found = this.#peek(text)
    if (found) this.#at += text.length
    return found
  }

  #next(): string {
    if (this.#at >= this.#characters.length) throw new PatternProblem('an end that comes too early')
    return this.#characters[this.#at++]
  }

  /** @param factor how often this may be repeated by what is around it */
  #alternatives(factor: number, outermost = false): string {
    const alternatives = [this.#sequence(factor, outermost)]
    while (this.#take('|')) alternatives.push(this.#sequence(factor, outermost))
    return oneOf(alternatives)
  }

  #sequence(factor: number, outermost: boolean): string {
    const parts: string[] = []
    if (outermost) this.#take('^')
    while (this.#at < this.#characters.length && !this.#peek('|') && !this.#peek(')')) {
      if (outermost && this.#peek('$') && ['|', undefined].includes(this.#characters[this.#at + 1])) {
        this.#at++
        break
      }
      parts.push(this.#repeatedAtom(factor))
    }
    return parts.length === 0 ? '""' : parts.join(' ')
  }

  #repeatedAtom(factor: number): string {
    // What repeats it stands behind it: it is read once to find that, and once more where it is repeated.
    const start = this.#at
    const once = this.#atom(factor)
    const [least, most] = this.#quantifier()
    const times = most ?? least
    if (times <= 1) return repeated(once, least, most)
    if (factor * times > MOST_REPETITIONS)
      throw new PatternProblem(`more than ${MOST_REPETITIONS} repetitions`)
    const end = this.#at
    this.#at = start
    const atom = this.#atom(factor * times)
    this.#at = end
    return repeated(atom, least, most)
  }

  #quantifier(): readonly [number, number | undefined] {
    const bounds = this.#bounds()
    if (!bounds) return [1, 1]
    this.#take('?')
    return bounds
  }

  #bounds(): readonly [number, number | undefined] | undefined {
    if (this.#take('*')) return [0, undefined]
    if (this.#take('+')) return [1, undefined]
    if (this.#take('?')) return [0, 1]
    const rest = this.#characters.slice(this.#at, this.#at + 16).join('')
    const found = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(rest)
    if (!found) return undefined
    this.#at += found[0].length
    const least = Number(found[1])
    const most = found[2] === undefined ? least : found[3] === '' ? undefined : Number(found[3])
    if (most !== undefined && most < least) throw new PatternProblem(`the bounds ${found[0]}`)
    return [least, most]
  }

  #atom(factor: number): string {
    if (this.#take('(')) return this.#group(factor)
    if (this.#take('[')) return this.#only(this.#class())
    if (this.#take('.')) return this.#only(complement(LINE_ENDS))
    const character = this.#next()
    if (character === '\\') return this.#only(this.#escape(false))
    if ('^$*+?{}'.includes(character))
      throw new PatternProblem(`${character} at ${this.#at - 1}, where it has no meaning`)
    return this.#only([[character.codePointAt(0)!, character.codePointAt(0)!]])
  }

  #group(factor: number): string {
    if (this.#take('?') && !this.#take(':')) {
      throw new PatternProblem('a group that looks around, or has a name')
    }
    const inner = this.#alternatives(factor)
    if (!this.#take(')')) throw new PatternProblem('a group without an end')
    return `(${inner})`
  }

  #class(): CodePoints {
    const negated = this.#take('^')
    const ranges: (readonly [number, number])[] = []
    while (!this.#take(']')) {
      const first = this.#classAtom()
      const isRange = this.#peek('-') && this.#characters[this.#at + 1] !== ']'
      if (!isRange) {
        ranges.push(...first)
        continue
      }
      this.#at++
      const last = this.#classAtom()
      const [from, to] = [first[0][0], last[0][1]]
      const single = [first, last].every((one) => one.length === 1 && one[0][0] === one[0][1])
      if (!single || from > to) throw new PatternProblem('a range of characters that is none')
      ranges.push([from, to])
    }
    return negated ? complement(ranges) : union(ranges)
  }

  #classAtom(): CodePoints {
    const character = this.#next()
    if (character === '\\') return this.#escape(true)
    return [[character.codePointAt(0)!, character.codePointAt(0)!]]
  }

  /** What stands behind a backslash. */
  #escape(inClass: boolean): CodePoints {
    const character = this.#next()
    if (CLASSES[character]) return CLASSES[character]
    const control = CONTROLS[character]
    if (control !== undefined && (inClass || character !== 'b')) return [[control, control]]
    const digits = { x: 2, u: 4 }[character]
    if (digits !== undefined) {
      const code = this.#characters.slice(this.#at, this.#at + digits).join('')
      if (!/^[0-9a-fA-F]+$/.test(code) || code.length < digits)
        throw new PatternProblem(`\\${character}${code}`)
      this.#at += digits
      return [[Number.parseInt(code, 16), Number.parseInt(code, 16)]]
    }
    if (/[A-Za-z0-9]/.test(character)) throw new PatternProblem(`\\${character}`)
    return [[character.codePointAt(0)!, character.codePointAt(0)!]]
  }

  #only(ranges: CodePoints): string {
    const expression = quotedCharacter(this.#quotes, ranges)
    if (expression === undefined) throw new PatternProblem('characters that no string holds as they are')
    return expression
  }
}

/**
 * The strings, without their quotes, that match a regular expression from their beginning to their end.
 * @throws PatternProblem for what a grammar cannot hold: looking around, references back, word boundaries, classes of Unicode
 */
export function patternGrammar(pattern: string, quotes: Quotes): string {
  return new PatternReader(pattern, quotes).read()
}
