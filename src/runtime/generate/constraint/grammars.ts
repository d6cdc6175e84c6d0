import { invalidOption, lookAt } from '../../../errors/index.js'
import type { Tokenizer } from '../../../tokenizer/index.js'
import type { Constraint, ConstraintOption } from './constraint.js'
import { literal, oneOf } from './ebnf.js'
import { GrammarProblem } from './grammar.js'
import { GrammarEngine } from './grammar-engine.js'
import { jsonSchemaGrammar } from './json-schema.js'
import { toolCallGrammar } from './tool-call.js'

/** The longest grammar, and the longest list of choices, in characters. */
const MOST_TEXT = 65_536
const KINDS = ['jsonSchema', 'json', 'grammar', 'choices', 'toolCall'] as const

/** Makes constraints for a model. The tokens are read when the first is wanted. */
export class Grammars {
  readonly #tokenizer: Tokenizer
  readonly #vocabulary: number
  #engine: GrammarEngine | undefined

  /** @param vocabulary logits in a row, which may be more than there are tokens */
  constructor(tokenizer: Tokenizer, vocabulary: number) {
    this.#tokenizer = tokenizer
    this.#vocabulary = vocabulary
  }

  /**
   * Checks a constraint.
   * @param stopIds end an answer where it is whole
   * @param spells whether text that must come is written as the tokenizer writes it; else it may come in any tokens
   * @returns what makes it for an answer from its beginning
   * @throws `option.invalid`
   */
  resolve(option: ConstraintOption, stopIds: readonly number[], spells = true): () => Constraint {
    const grammar = lookAt(
      () => invalidOption('constraint', option, `one of ${KINDS.join(', ')}, that can be read`),
      () => grammarOf(option),
    )
    this.#engine ??= new GrammarEngine(this.#tokenizer, this.#vocabulary)
    try {
      return this.#engine.prepare(grammar, stopIds, spells)
    } catch (error) {
      if (!(error instanceof GrammarProblem)) throw error
      const given = 'grammar' in option ? 'grammar' : Object.keys(option)[0]
      throw invalidOption(`constraint.${given}`, 'one that is wrong', `a grammar of texts; ${error.message}`)
    }
  }
}

function grammarOf(option: ConstraintOption): string {
  const all = typeof option === 'object' && option !== null ? Object.keys(option) : []
  const [kind] = KINDS.filter((one) => all.includes(one))
  const given = kind === 'toolCall' ? all.filter((one) => one !== 'name') : all
  if (given.length !== 1 || kind === undefined) {
    throw invalidOption('constraint', all.join(', ') || option, `one of ${KINDS.join(', ')}`)
  }
  const value: unknown = (option as Readonly<Record<string, unknown>>)[kind]
  if (kind === 'jsonSchema') return jsonSchemaGrammar(value)
  if (kind === 'json') {
    if (value !== true) throw invalidOption('constraint.json', value, 'true')
    return jsonSchemaGrammar({ type: 'object' })
  }
  if (kind === 'choices') return choicesGrammar(value)
  if (kind === 'toolCall') return toolCallGrammar(value, 'name' in option ? option.name : undefined)
  if (typeof value !== 'string' || value.length > MOST_TEXT) {
    const shown = typeof value === 'string' ? `${value.length} characters` : typeof value
    throw invalidOption('constraint.grammar', shown, `a text of at most ${MOST_TEXT} characters`)
  }
  return value
}

function choicesGrammar(choices: unknown): string {
  const isChoice = (one: unknown) => typeof one === 'string' && !/\p{Surrogate}/u.test(one)
  if (!Array.isArray(choices) || choices.length === 0 || !choices.every(isChoice)) {
    throw invalidOption('constraint.choices', choices, 'a list of one or more texts')
  }
  const length = choices.join('').length
  if (length > MOST_TEXT) {
    throw invalidOption('constraint.choices', `${length} characters`, `at most ${MOST_TEXT} in all`)
  }
  return `root ::= ${oneOf((choices as string[]).map(literal))}`
}
