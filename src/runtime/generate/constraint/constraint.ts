/**
 * What an answer must look like: a JSON text that a schema describes (`true` for any value), a JSON object of any kind, a text of
 * a grammar in EBNF, whose first rule is `root`, one of a few texts, or a call of a tool.
 */
export type ConstraintOption =
  | { readonly jsonSchema: object | true }
  | { readonly json: true }
  | { readonly grammar: string }
  | { readonly choices: readonly string[] }
  | ToolCallConstraint

/**
 * The answer is a call of one of some tools, in ChatGLM3's form, with arguments that the tool's JSON Schema describes. The model
 * knows of the tools by the system message or the option `tools` of `chat`.
 */
export interface ToolCallConstraint {
  /** Tools `{ name, parameters }`, alone or within `function`, where `parameters` is a JSON Schema of an object. */
  readonly toolCall: readonly object[]
  /** The name of the tool that must be called; any of them without it. */
  readonly name?: string
}

/** Whether a constraint says what the text of an answer is: a call of a tool says whom the answer is meant for, too. */
export function isOfText(constraint: ConstraintOption | undefined): boolean {
  return typeof constraint === 'object' && constraint !== null && !('toolCall' in constraint)
}

/**
 * Decides id by id what a sequence may say next. Whoever runs the sequence asks for the mask, has an id chosen within it, and
 * tells which; nothing runs ahead of it.
 */
export interface Constraint {
  /** Whether the answer is whole, and nothing can follow. */
  readonly done: boolean
  /** The ids that may come next: bit i % 32 of word i / 32, u32 [ceil(vocabulary / 32)]. */
  mask(): Uint32Array<ArrayBuffer>
  /** Takes the id that was chosen. */
  accept(id: number): void
  /**
   * The ids of text that must come next whatever is chosen, written as the tokenizer writes it. The last of such text is left
   * to be chosen, because what follows may be one token with it.
   * @param most so many ids at most
   */
  forced?(most: number): readonly number[]
}
