import { wholeNumber, z } from '../../schema/index.js'
import { constraintFields } from './constraint-fields.js'
import { flag, generationFields, MOST_LOGPROBS, required, text, unsupported, whole } from './fields.js'

const PROMPT = 'a text, a list of token ids, or a list of texts or of lists of ids'

const ids = z.array(wholeNumber(0)).check(z.minLength(1))

/** The body of `POST /v1/completions`. */
export const completionRequest = z.object({
  prompt: required(
    z.union(
      [
        z.pipe(
          z.string(),
          z.transform((one) => [one]),
        ),
        z.pipe(
          ids,
          z.transform((one) => [one]),
        ),
        z.array(z.union([z.string(), ids], { error: 'a text or a list of token ids' })).check(z.minLength(1)),
      ],
      { error: PROMPT },
    ),
    PROMPT,
    'What is continued; of a list, each by itself.',
  ),
  ...generationFields,
  max_tokens: whole(0, Number.MAX_SAFE_INTEGER, 'The most tokens of an answer. Default 16.'),
  echo: flag('Whether the prompt comes before its answer.'),
  logprobs: whole(
    0,
    MOST_LOGPROBS,
    'Tells how likely each token is, and so many of the likeliest at its place; with `echo` of the prompt, too.',
  ),
  ...constraintFields,
  suffix: unsupported('Text behind what is to be filled in.', ['']),
  best_of: unsupported('The best of several answers.', [1]),
  user: text('Ignored.'),
})

export type CompletionRequest = z.infer<typeof completionRequest>
