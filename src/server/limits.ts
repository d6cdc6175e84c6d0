import { badRequest } from './api-error.js'
import type { ServerContext } from './context.js'

/** @throws ApiError 400 where a request asks for more answers than the server gives one */
export function checkChoices(choices: number, { options: { maxChoices } }: ServerContext): void {
  if (choices <= maxChoices) return
  const message = `The request asks for ${choices} answers; this server gives up to ${maxChoices} to one.`
  throw badRequest('too_many_choices', message, 'n')
}

/**
 * The most tokens of an answer.
 * @param asked what the request asks for
 * @param param the field that asks
 * @throws ApiError 400 where it asks for more than the server gives
 */
export function tokenLimit(
  asked: number | undefined,
  param: string,
  { options: { maxTokens } }: ServerContext,
): number | undefined {
  if (asked !== undefined && maxTokens !== undefined && asked > maxTokens) {
    const message = `${param} is ${asked}; this server gives up to ${maxTokens} tokens.`
    throw badRequest('invalid_value', message, param)
  }
  return asked ?? maxTokens
}
