/** Errors that several rooms throw. */
import { BusyError, CheckpointError, DeviceError, InputError, OptionError } from './chatglm-error.js'
import { describe } from './describe.js'

/**
 * An option has a value that makes no sense.
 * @param option the option's name, `variants.decode` for one within another
 * @param value what it was given
 * @param expected what is accepted
 */
export function invalidOption(option: string, value: unknown, expected: string) {
  const shown = value === undefined ? 'undefined' : describe(value)
  const details = { option: cut(option), value: isPlain(value) ? cut(value) : shown, expected }
  return new OptionError('option.invalid', `Option ${cut(option)} is ${shown}; expected ${expected}.`, {
    details,
  })
}

const MAX_TEXT = 200

/** What a caller wrote may have any length; messages and details do not. */
function cut<Value>(value: Value): Value | string {
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
}

/** Whether a value can be sent as it is; of others, such as an adapter, the text is enough. */
function isPlain(value: unknown): value is string | number | boolean | null | undefined {
  return value == null || ['string', 'number', 'boolean'].includes(typeof value)
}

/** Prompt and answer need more positions than the model was loaded with. */
export function contextOverflow(promptTokens: number, available: number) {
  return new InputError(
    'input.context-overflow',
    `The prompt has ${promptTokens} tokens, but this model was loaded with room for ${available} tokens of ` +
      'prompt and answer together. Shorten the conversation, or load the model with a larger contextLength.',
    { details: { promptTokens, available } },
  )
}

/** A token id outside the vocabulary. */
export function invalidToken(id: unknown, index: number, vocabulary: number) {
  return new InputError(
    'input.token-invalid',
    `Token ${index} of the prompt is ${id}; ids go from 0 to ${vocabulary - 1}.`,
    { details: { index } },
  )
}

/** A prompt of no tokens: there is nothing to predict from. */
export function emptyTokens(which = 'The prompt') {
  return new InputError('input.tokens-empty', `${which} has no tokens; give at least one id.`)
}

/** The model computed NaN or infinity. */
export function nonFiniteOutput(position: number) {
  return new CheckpointError(
    'checkpoint.not-finite',
    `The model computed NaN or infinity at position ${position}. ` +
      'The weights or the prefix are damaged (check them against their manifest), or the prefix belongs to another model.',
    { details: { position } },
  )
}

/** The model, or what was given as `what`, was disposed of. */
export function disposed(what: string) {
  return new DeviceError(
    'device.disposed',
    `This ${what} was disposed of and cannot be used any more; load it again.`,
  )
}

/** As many sequences wait for a place in the model as the option `maxWaiting` lets wait. */
export function tooManyWaiting(maxWaiting: number) {
  return new BusyError(
    'busy.waiting',
    `${maxWaiting} sequences wait for a place in this model already. Ask again when some have ended, ` +
      'or load the model with a larger maxWaiting.',
    { details: { maxWaiting } },
  )
}
