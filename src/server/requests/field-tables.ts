import type { Schema } from '../../schema/index.js'
import { loadAdapterRequest, weighAdapterRequest } from './adapter-requests.js'
import { chatRequest } from './chat-request.js'
import { completionRequest } from './completion-request.js'
import { constraintFields } from './constraint-fields.js'
import { FIELD_DOCS, generationFields } from './fields.js'
import { detokenizeRequest, tokenizeRequest } from './token-requests.js'

/** What the documentation says of a field of a request. */
export interface FieldRow {
  readonly name: string
  /** What is accepted. */
  readonly expected: string
  readonly description: string
}

/** The fields of requests, by what they belong to. */
export function fieldTables(): Readonly<Record<string, readonly FieldRow[]>> {
  const shared = { ...generationFields, ...constraintFields }
  const own = (shape: Readonly<Record<string, Schema>>) =>
    rowsOf(Object.fromEntries(Object.entries(shape).filter(([name]) => !(name in shared))))
  return {
    'Of chats and completions': rowsOf(generationFields),
    'The form of an answer': rowsOf(constraintFields),
    'Of `POST /v1/chat/completions`': own(chatRequest.shape),
    'Of `POST /v1/completions`': own(completionRequest.shape),
    'Of `POST /tokenize`': rowsOf(tokenizeRequest.shape),
    'Of `POST /detokenize`': rowsOf(detokenizeRequest.shape),
    'Of `POST /v1/adapters`': rowsOf(loadAdapterRequest.shape),
    'Of `POST /v1/adapters/{id}`': rowsOf(weighAdapterRequest.shape),
  }
}

/** @throws TypeError for a field that nothing is said of */
function rowsOf(shape: Readonly<Record<string, Schema>>): FieldRow[] {
  return Object.entries(shape).map(([name, schema]) => {
    const docs = FIELD_DOCS.get(schema)
    if (!docs) throw new TypeError(`The field ${name} has no description.`)
    return { name, ...docs }
  })
}
