import { describe } from '../../errors/index.js'
import { refusalOf, type Schema, type z } from '../../schema/index.js'
import { type ApiError, badRequest } from '../api-error.js'
import { UNSUPPORTED } from './fields.js'

/**
 * A request that is what its description says, without the fields that it does not know.
 * @throws ApiError 400 with the path of the first field that is wrong
 */
export function checkRequest<Body extends Schema>(schema: Body, body: unknown): z.output<Body> {
  const checked = schema.safeParse(body)
  if (checked.success) return checked.data
  throw refuse(checked.error.issues, body)
}

function refuse(issues: readonly z.core.$ZodIssue[], body: unknown): ApiError {
  const { path, unknown, expected, found } = refusalOf(issues, body)
  if (unknown.length > 0) {
    const param = pathText([...path, unknown[0]])
    return badRequest('unknown_parameter', `There is no field ${param}.`, param)
  }
  if (path.length === 0) {
    return badRequest('invalid_type', `The body must be a JSON object, not ${describe(body)}.`)
  }
  const param = pathText(path)
  if (found === describe(undefined)) {
    return badRequest('missing_required_parameter', `${param} is missing: expected ${expected}.`, param)
  }
  const code = expected === UNSUPPORTED ? 'unsupported_parameter' : 'invalid_value'
  return badRequest(code, `${param} is ${found}; expected ${expected}.`, param)
}

/** `messages[0].content` */
function pathText(path: readonly (string | number)[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '')
}
