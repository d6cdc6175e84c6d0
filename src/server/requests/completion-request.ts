import { z } from 'zod'
import { flag, generationFields, MOST_LOGPROBS, text, unsupported, whole } from './fields.js'

const PROMPT = 'a text, a list of token ids, or a list of texts or of lists of ids'

const id = z.int().min(0)
const ids = z.array(id).min(1)

/** The body of `POST /v1/completions`. */
export const completionRequest = z.object({
  prompt: z
    .union(
      [
        z.string().transform((one) => [one]),
        ids.transform((one) => [one]),
        z.array(z.union([z.string(), ids], { error: 'a text or a list of token ids' })).min(1),
      ],
      {
        error: PROMPT,
      },
    )
    .meta({ expected: PROMPT, description: 'What is continued; of a list, each by itself.' }),
  ...generationFields,
  max_tokens: whole(0, Number.MAX_SAFE_INTEGER, 'The most tokens of an answer. Default 16.'),
  echo: flag('Whether the prompt comes before its answer.'),
  logprobs: whole(
    0,
    MOST_LOGPROBS,
    'Tells how likely each token is, and so many of the likeliest at its place; with `echo` of the prompt, too.',
  ),
  suffix: unsupported('Text behind what is to be filled in.', ['']),
  best_of: unsupported('The best of several answers.', [1]),
  user: text('Ignored.'),
})

export type CompletionRequest = z.infer<typeof completionRequest>
