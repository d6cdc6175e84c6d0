import { lines, table } from '../../grammar.js'

/** Facts of one sort: rows of the slots a, b and c, ways to ask, and the answer. */
export interface FactSheet {
  readonly rows: readonly (readonly string[])[]
  readonly questions: readonly string[]
  readonly answer: string
}

export function factSheet(rows: string, questions: string, answer: string): FactSheet {
  return { rows: table(rows), questions: lines(questions), answer }
}

/** How a question in Chinese may begin. */
export const OPENING = '(请问|你知道|我想知道|)'
