import { notALiteral } from './errors.js'

const BLANK = /[ \t\r\n\f]+/y
const COMMENT = /#[^\r\n]*/y
const NAME = /[\p{ID_Start}_]\p{ID_Continue}*/uy

/** A place in Python source text that moves over it and never behind its end, so that every loop over it ends. */
export class SourceReader {
  readonly source: string
  #position = 0

  constructor(source: string) {
    this.source = source
  }

  /** The index of the next UTF-16 unit. */
  get position(): number {
    return this.#position
  }

  get atEnd(): boolean {
    return this.#position === this.source.length
  }

  /** The next UTF-16 unit, which stays; empty at the end. */
  peek(): string {
    return this.source.charAt(this.#position)
  }

  /** Takes the next UTF-16 unit. @throws `input.python-literal` at the end */
  takeUnit(): string {
    if (this.atEnd) this.fail('more text')
    return this.source[this.#position++]
  }

  /** Moves over space and comments. Newlines count as space, as everything stands in brackets. */
  skipSpace(): void {
    while (this.match(BLANK) ?? this.match(COMMENT));
  }

  /** Takes a text if it is next. */
  take(text: string): boolean {
    if (!this.source.startsWith(text, this.#position)) return false
    this.#position += text.length
    return true
  }

  expect(text: string): void {
    if (!this.take(text)) this.fail(JSON.stringify(text))
  }

  /** Takes an identifier if one is next, in the form in which Python compares identifiers. */
  takeName(): string | undefined {
    return this.match(NAME)?.normalize('NFKC')
  }

  /** Takes what a sticky pattern matches here, if it does. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position
    const text = pattern.exec(this.source)?.[0]
    if (text !== undefined) this.#position += text.length
    return text
  }

  /** Goes back to a place that was passed. */
  rewind(position: number): void {
    this.#position = Math.min(position, this.#position)
  }

  fail(expected: string, position = this.#position): never {
    throw notALiteral(this.source, position, expected)
  }
}
