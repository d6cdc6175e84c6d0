import * as z from 'zod/mini'

// The page's policy forbids code made of text; zod would try, and the browser would report it.
z.config({ jitless: true })

/*
 * What a conversation of a file must look like, all of it: a view that is given anything else would go blank. Fields that
 * are not known are left out.
 */

const number = z.number().check(z.refine(Number.isFinite))
const count = z.int().check(z.nonnegative())
const share = number.check(z.minimum(0), z.maximum(1))

const sampling = z.object({
  temperature: number.check(z.minimum(0)),
  topK: count,
  topP: share,
  minP: share,
  repetitionPenalty: number.check(z.positive()),
  presencePenalty: number,
  frequencyPenalty: number,
  maxTokens: z.nullable(z.int().check(z.positive())),
  seed: z.nullable(z.int()),
})

const tool = z.object({
  id: z.string(),
  name: z.string().check(z.regex(/^[A-Za-z_]\w{0,63}$/)),
  description: z.string(),
  parameters: z.string().check(z.refine(isJsonObject)),
  body: z.string(),
  enabled: z.boolean(),
})

const prefix = z.object({ name: z.nullable(z.string()), strength: share })

/** Settings that are left out get their defaults. */
const settings = z.partial(
  z.object({
    system: z.string(),
    sampling: z.partial(sampling),
    tools: z.array(tool),
    prefix,
    raw: z.boolean(),
  }),
)

const segment = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('code'), name: z.string(), code: z.string() }),
  z.object({ type: z.literal('tool-call'), name: z.string(), parameters: z.record(z.string(), z.unknown()) }),
  z.object({
    type: z.literal('invalid-tool-call'),
    name: z.string(),
    content: z.string(),
    problem: z.string(),
  }),
])

const message = z.object({
  role: z.literal('assistant'),
  metadata: z.optional(z.string().check(z.regex(/^[^\n]*$/))),
  content: z.string(),
})

const measures = z.object({
  promptTokens: count,
  cachedTokens: count,
  tokens: count,
  firstTokenSeconds: number,
  tokensPerSecond: number,
})

const problem = z.object({ name: z.string(), message: z.string(), code: z.optional(z.string()) })

const content = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('question'), text: z.string() }),
  z.object({
    kind: z.literal('answer'),
    segments: z.array(segment),
    messages: z.array(message),
    end: z.optional(z.enum(['stop', 'length', 'context', 'stopped', 'failed'])),
    problem: z.optional(problem),
    measures: z.optional(measures),
    prefix,
  }),
  z.object({
    kind: z.literal('observation'),
    tool: z.string(),
    text: z.string(),
    by: z.enum(['code', 'hand']),
  }),
])

const turn = z.object({ id: z.string().check(z.minLength(1)), parent: z.nullable(z.string()), content })

const conversation = z
  .object({
    id: z.string(),
    title: z.string(),
    createdAt: number,
    updatedAt: number,
    settings,
    turns: z.array(turn),
    current: z.nullable(z.string()),
  })
  .check(z.refine(isTree))

interface Tree {
  readonly turns: readonly { readonly id: string; readonly parent: string | null }[]
  readonly current: string | null
}

/** A parent comes before its children, so that every path ends. */
function isTree({ turns, current }: Tree): boolean {
  const seen = new Set<string | null>([null])
  for (const { id, parent } of turns) {
    if (seen.has(id) || !seen.has(parent)) return false
    seen.add(id)
  }
  return seen.has(current)
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** What a file may hold of a conversation: settings may be left out. */
export type ReadConversation = z.infer<typeof conversation>

/** A conversation of a file, checked as a whole; undefined where it is damaged. */
export function readConversation(value: unknown): ReadConversation | undefined {
  const { success, data } = conversation.safeParse(value)
  return success ? data : undefined
}
