import { toPythonLiteral } from '../../../tokenizer/index.js'
import { ALL, literal, oneOf } from './ebnf.js'
import { ANY_NUMBER } from './json-numbers.js'
import { JSON_QUOTES, PYTHON_QUOTES, type Quotes, quotedCharacter } from './strings.js'

/** How values are written: as JSON, or as the literals of Python in which ChatGLM3 calls tools. */
export interface Notation {
  readonly true: string
  readonly false: string
  readonly null: string
  /** A string may stand in any of them. */
  readonly quotes: readonly Quotes[]
  /** A value that must come as it is. */
  text(value: unknown): string
}

/** With the spaces that Python's `json.dumps` sets, which the model learnt. */
export const JSON_NOTATION: Notation = {
  true: 'true',
  false: 'false',
  null: 'null',
  quotes: [JSON_QUOTES],
  text: jsonText,
}

/** As Python's `repr` writes values. */
export const PYTHON_NOTATION: Notation = {
  true: 'True',
  false: 'False',
  null: 'None',
  quotes: PYTHON_QUOTES,
  text: (value) => toPythonLiteral(value as Parameters<typeof toPythonLiteral>[0]),
}

function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${jsonText(inner)}`)
  return `{${entries.join(', ')}}`
}

/** A string in any of the quotes. @param within what stands between them, for each kind */
export function stringOf({ quotes }: Notation, within: (quotes: Quotes) => string): string {
  return oneOf(quotes.map((one) => `${literal(one.mark)} ${within(one)} ${literal(one.mark)}`))
}

/** Any character of a string. */
export function anyCharacter(quotes: Quotes): string {
  return quotedCharacter(quotes, ALL)!
}

/** Rules of any value; only those that are used are written. */
export function valueRules(notation: Notation): string[] {
  const words = ['true', 'false', 'null'] as const
  const constants = words.map((word) => literal(notation[word])).join(' | ')
  return [
    `value ::= object | array | string | number | ${constants}`,
    'object ::= "{" (pair (", " pair)*)? "}"',
    'pair ::= string ": " value',
    'array ::= "[" (value (", " value)*)? "]"',
    `string ::= ${stringOf(notation, (quotes) => `(${anyCharacter(quotes)})*`)}`,
    `number ::= ${ANY_NUMBER}`,
  ]
}
