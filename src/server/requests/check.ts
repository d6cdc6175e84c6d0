import type { z } from 'zod'
import { type ApiError, badRequest } from '../api-error.js'

/**
 * A request that is what its description says, without the fields that it does not know.
 * @throws ApiError 400 with the path of the first field that is wrong
 */
export function checkRequest<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const checked = schema.safeParse(body)
  if (checked.success) return checked.data
  throw describeIssue(checked.error.issues[0], body)
}

function describeIssue(issue: z.core.$ZodIssue, body: unknown): ApiError {
  if (issue.path.length === 0 && issue.code === 'invalid_type') {
    return badRequest('invalid_type', `The body must be a JSON object, not ${show(body)}.`)
  }
  const unknown = issue.code === 'unrecognized_keys' ? [issue.keys[0]] : []
  const path = [...issue.path, ...unknown]
  const param = pathText(path)
  const value = valueAt(body, path)
  if (unknown.length > 0) return badRequest('unknown_parameter', `There is no field ${param}.`, param)
  const code = issue.code === 'custom' ? issue.params?.code : undefined
  if (value === undefined) {
    return badRequest('missing_required_parameter', `${param} is missing: expected ${issue.message}.`, param)
  }
  return badRequest(code ?? 'invalid_value', `${param} is ${show(value)}; expected ${issue.message}.`, param)
}

/** `messages[0].content` */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return value
}

const SHOWN = 60

/** A value as an error shows it: not more of it than helps. */
function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
