/** One tokenized sequence to learn from. */
export interface TrainingSample {
  readonly ids: readonly number[]
  /**
   * As many as `ids`; -100 marks what is no target. The shift happens inside: the logits at position i are compared
   * with label i + 1, so the first label is never used.
   */
  readonly labels: readonly number[]
}
