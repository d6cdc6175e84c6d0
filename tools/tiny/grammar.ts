import type { Random } from './random.js'

/** What a template consists of: text, a slot by name, or alternatives. */
type Part = string | { readonly slot: string } | { readonly alternatives: readonly (readonly Part[])[] }

export type Slots = Readonly<Record<string, string>>

const parsed = new Map<string, readonly Part[]>()

/**
 * Writes out a template: of `(a|b|)` one alternative, which may have alternatives itself, for `{name}` a slot.
 * Values of slots are taken as they are.
 *
 * @throws Error for a template that cannot be read, or a slot without a value
 */
export function expand(template: string, random: Random, slots: Slots = {}): string {
  return write(parse(template), slots, (alternatives) => random.pick(alternatives))
}

/** The text that a template gives if of all alternatives the first is taken. */
export function firstExpansion(template: string, slots: Slots = {}): string {
  return write(parse(template), slots, ([first]) => first)
}

type Choose = (alternatives: readonly (readonly Part[])[]) => readonly Part[]

function write(parts: readonly Part[], slots: Slots, choose: Choose): string {
  let text = ''
  for (const part of parts) {
    if (typeof part === 'string') text += part
    else if ('slot' in part) {
      const value = slots[part.slot]
      if (value === undefined) throw new Error(`No value for {${part.slot}}.`)
      text += value
    } else text += write(choose(part.alternatives), slots, choose)
  }
  return text
}

function parse(template: string): readonly Part[] {
  const known = parsed.get(template)
  if (known) return known
  const tokens = template.match(/[()|]|\{[^{}]*\}|[^()|{}]+/g) ?? []
  let next = 0
  const readAlternatives = (): Part[][] => {
    const alternatives: Part[][] = [[]]
    for (; next < tokens.length && tokens[next] !== ')'; next++) {
      const token = tokens[next]
      const current = alternatives[alternatives.length - 1]
      if (token === '|') alternatives.push([])
      else if (token === '(') {
        next++
        current.push({ alternatives: readAlternatives() })
        if (tokens[next] !== ')') throw new Error(`Expected ")" at the end of: ${template}`)
      } else if (token.startsWith('{')) current.push({ slot: token.slice(1, -1) })
      else current.push(token)
    }
    return alternatives
  }
  const alternatives = readAlternatives()
  if (next < tokens.length) throw new Error(`Unexpected ")" in: ${template}`)
  if (alternatives.length > 1) throw new Error(`Expected "|" between parentheses only: ${template}`)
  parsed.set(template, alternatives[0])
  return alternatives[0]
}

/** The rows of a table that is written as lines, cells between `|`; empty lines do not count. */
export function table(text: string): string[][] {
  return lines(text).map((line) => line.split('|').map((cell) => cell.trim()))
}

/** The lines of a text without spaces around them; empty ones do not count. */
export function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** The words of a text, which spaces and line breaks part. */
export function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
