/**
 * What an answer must look like: a JSON text that a schema describes (`true` for any value), a JSON object of any kind, a text of
 * a grammar in EBNF, whose first rule is `root`, or one of a few texts.
 */
export type ConstraintOption =
  | { readonly jsonSchema: object | true }
  | { readonly json: true }
  | { readonly grammar: string }
  | { readonly choices: readonly string[] }

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
}
