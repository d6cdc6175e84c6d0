/** There is no WebGPU here, or no adapter for it. */
export class NoAdapterError extends Error {
  override readonly name = 'NoAdapterError'
}

/** config.json describes no model that this runtime can run. */
export class ModelConfigError extends Error {
  override readonly name = 'ModelConfigError'
}

/** An option has a value that makes no sense; the message names it and says what is accepted. */
export class InvalidOptionError extends Error {
  override readonly name = 'InvalidOptionError'
  /**
   * @param option the option's name, `variants.decode` for one within another
   * @param value what it was given
   * @param expected what is accepted
   */
  constructor(
    readonly option: string,
    readonly value: unknown,
    readonly expected: string,
  ) {
    const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
    super(`Option ${option} is ${shown}; expected ${expected}.`)
  }
}

/** Prompt and answer need more positions than the model was loaded with. */
export class ContextOverflowError extends Error {
  override readonly name = 'ContextOverflowError'
  constructor(promptTokens: number, available: number) {
    super(
      `The prompt has ${promptTokens} tokens, but this model was loaded with room for ${available} tokens of ` +
        'prompt and answer together. Shorten the conversation, or load the model with a larger contextLength.',
    )
  }
}

/** A token id outside the vocabulary. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError'
  constructor(id: unknown, index: number, vocabulary: number) {
    super(`Token ${index} of the prompt is ${id}; ids go from 0 to ${vocabulary - 1}.`)
  }
}

/** A prompt of no tokens: there is nothing to predict from. */
export class EmptyTokensError extends Error {
  override readonly name = 'EmptyTokensError'
  constructor(which = 'The prompt') {
    super(`${which} has no tokens; give at least one id.`)
  }
}

/** A P-Tuning prefix that is none, is damaged, or belongs to a model of another shape. */
export class PrefixError extends Error {
  override readonly name = 'PrefixError'
}

/** The model computed NaN or infinity. */
export class NumericalError extends Error {
  override readonly name = 'NumericalError'
  constructor(position: number) {
    super(
      `The model computed NaN or infinity at position ${position}. ` +
        'The weights or the prefix are damaged (check them against their manifest), or the prefix belongs to another model.',
    )
  }
}

/** More sequences wait for a place in a model than it was loaded for. */
export class BusyError extends Error {
  override readonly name = 'BusyError'
  constructor(maxWaiting: number) {
    super(
      `${maxWaiting} sequences wait for a place in this model already. Ask again when some have ended, ` +
        'or load the model with a larger maxWaiting.',
    )
  }
}

/** The model was disposed of. */
export class DisposedError extends Error {
  override readonly name = 'DisposedError'
  constructor(what: string) {
    super(`This ${what} was disposed of and cannot be used any more; load it again.`)
  }
}
