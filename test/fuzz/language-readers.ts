/** Readers of text: JSON, records, grammars, schemas, requests, conversations. */
import { ImportError, importConversations } from '../../demo/src/conversation/exchange.js'
import { parseItemRecord } from '../../src/browser/store/item-record.js'
import { parseQuestion, parseRawQuestion } from '../../src/data/parse-question.js'
import { decodeText } from '../../src/data/text.js'
import { hasCode } from '../../src/errors/index.js'
import { Grammars } from '../../src/runtime/generate/constraint/grammars.js'
import { jsonSchemaGrammar } from '../../src/runtime/generate/constraint/json-schema.js'
import { ApiError } from '../../src/server/api-error.js'
import { chatRequest } from '../../src/server/requests/chat-request.js'
import { checkRequest } from '../../src/server/requests/check.js'
import { completionRequest } from '../../src/server/requests/completion-request.js'
import { parseJson } from '../../src/tokenizer/json-reader.js'
import { pythonJson, stringifyJson } from '../../src/tokenizer/python-json.js'
import { Tokenizer } from '../../src/tokenizer/tokenizer.js'
import * as inputs from './inputs.js'
import { JSON_WORDS, type Reader, reader, text } from './reader.js'

const tokenizer = Tokenizer.fromSentencePiece(inputs.sentencePiece)
const grammars = new Grammars(tokenizer, tokenizer.vocabSize)

/** Ends with one of several errors, or reads. */
async function unless(isKnown: (error: unknown) => boolean, read: () => unknown): Promise<void> {
  try {
    await read()
  } catch (error) {
    if (!isKnown(error)) throw error
  }
}

/** JSON text, as a program writes it again, is the same text when it is read and written once more. */
function readJson(bytes: Uint8Array): void {
  const value = parseJson(text(bytes))
  for (const write of [stringifyJson, pythonJson]) {
    const written = write(value)
    if (write(parseJson(written)) !== written) throw new Error(`It is written in two ways: ${written}`)
  }
}

export const LANGUAGE_READERS: readonly Reader[] = [
  reader(
    'json',
    inputs.jsonTexts,
    [...JSON_WORDS, '1e16', '22.0', '\\u', '-', '.', 'e'],
    readJson,
    'input.json',
  ),
  reader(
    'question',
    inputs.questions,
    [...JSON_WORDS, '"messages"', '"role"', '"tool_calls"', '"history"', '"system"', '"tools"', '"prompt"'],
    async (bytes) => {
      const value = parseJson(text(bytes))
      for (const read of [parseQuestion, parseRawQuestion]) {
        await unless(
          (error) => hasCode(error, 'input.dataset'),
          () => pythonJson(read({ value, where: 'line 1' })),
        )
      }
    },
    'input.json',
  ),
  reader(
    'text',
    inputs.texts,
    ['\xef\xbb\xbf', '\n', '\x81', '\xff', '\x84\x31\xa4\x37', '\xe4\xbd', '\r\n'],
    async (bytes) => {
      for (const encoding of ['utf-8', 'gb18030'] as const) {
        await unless(
          (error) => hasCode(error, 'input.encoding'),
          () => decodeText(bytes, 'x', encoding),
        )
      }
    },
  ),
  reader(
    'grammar',
    inputs.grammars,
    ['root', '::=', '|', '(', ')', '*', '+', '?', '{1,3}', '"', '[', '^', '-', '\\x', '#', '\n', '.'],
    (bytes) => grammars.resolve({ grammar: text(bytes) }, [2]),
    'option.invalid',
  ),
  reader(
    'json-schema',
    inputs.schemas,
    [
      ...JSON_WORDS,
      '"type"',
      '"$ref"',
      '"#"',
      '%',
      '"pattern"',
      '"anyOf"',
      '"properties"',
      '"minLength"',
      '"maximum"',
      '^(a|b)*$',
    ],
    async (bytes) => {
      const grammar = jsonSchemaGrammar(parseJson(text(bytes)))
      await unless(
        (error) => hasCode(error, 'option.invalid'),
        () => grammars.resolve({ grammar }, [2]),
      )
    },
    'option.invalid',
    'input.json',
  ),
  reader(
    'request',
    inputs.requests,
    [...JSON_WORDS, '"messages"', '"tool_choice"', '"stop"', '"n"', '"logit_bias"', '"response_format"'],
    async (bytes) => {
      const body: unknown = parseJson(text(bytes))
      for (const schema of [chatRequest, completionRequest]) {
        await unless(
          (error) => error instanceof ApiError,
          () => checkRequest(schema, body),
        )
      }
    },
    'input.json',
  ),
  reader(
    'conversations',
    [inputs.conversations],
    [...JSON_WORDS, '"conversations"', '"messages"', '"parent"', '"tools"'],
    (bytes) =>
      unless(
        (error) => error instanceof ImportError,
        () => importConversations(text(bytes)),
      ),
  ),
  reader('item-record', [inputs.itemRecord], [...JSON_WORDS, '"files"', '"done"', 'true'], (bytes) =>
    parseItemRecord(text(bytes)),
  ),
]
