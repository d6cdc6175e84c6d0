import {
  callback,
  checkOptions,
  flag,
  listOf,
  type OptionShape,
  text,
  wholeNumber,
  z,
} from '../schema/index.js'
import type { RequestRecord } from './request-log.js'

/** How long things may take, in milliseconds. */
export interface ServerTimeouts {
  /** From the first byte of a request to the last of its headers. Default 10 s. */
  readonly headers?: number
  /** From the first byte of a request to its last. Default 60 s. */
  readonly request?: number
  /** A reader who takes nothing for so long is left. Default 60 s. */
  readonly stall?: number
  /** A stream that has nothing to say for so long sends a ping. Default 15 s. */
  readonly ping?: number
}

export interface ServerOptions {
  /** What clients call the model. Default `chatglm3-6b`. */
  readonly name?: string
  /** Keys of which a client must send one, as `Authorization: Bearer KEY`. Default: none is needed. */
  readonly apiKeys?: readonly string[]
  /** Origins of web pages that may ask, or `*` for all. Default: none. */
  readonly corsOrigins?: readonly string[]
  /** The most bytes of a request's body. Default 4 MiB. */
  readonly bodyLimit?: number
  /** The most tokens of one answer; requests that name no limit get this one. Default: what the context has room for. */
  readonly maxTokens?: number
  /** The most answers of one request: `n` times its prompts. Default 64. */
  readonly maxChoices?: number
  /** Whether clients may load prefixes from any path that the server can read, and take them away. Default false. */
  readonly manageAdapters?: boolean
  readonly timeouts?: ServerTimeouts
  /** Is told of every request that was answered; its contents come only with `logContents`. */
  readonly onRequest?: (record: RequestRecord) => void
  /** Whether records have prompts and answers. Default false. */
  readonly logContents?: boolean
}

export type ResolvedOptions = Required<Omit<ServerOptions, 'maxTokens' | 'timeouts'>> & {
  readonly maxTokens: number | undefined
  readonly timeouts: Required<ServerTimeouts>
}

// A timer takes no more.
const milliseconds = wholeNumber(1, 2 ** 31 - 1, 'milliseconds, from 1 to 2^31 - 1')
const count = wholeNumber(1, 2 ** 31 - 1)
const filled = text.check(z.minLength(1, { error: 'a text that is not empty' }))

const SHAPE: OptionShape<ServerOptions> = {
  name: filled,
  apiKeys: listOf(filled, 'a list of keys'),
  corsOrigins: listOf(filled, 'a list of origins'),
  bodyLimit: count,
  maxTokens: count,
  maxChoices: count,
  manageAdapters: flag,
  timeouts: z.strictObject(
    {
      headers: z.optional(milliseconds),
      request: z.optional(milliseconds),
      stall: z.optional(milliseconds),
      ping: z.optional(milliseconds),
    },
    { error: 'times by name' },
  ),
  onRequest: callback,
  logContents: flag,
}

/**
 * The options with their defaults.
 * @throws `option.invalid`
 */
export function resolveOptions(given: ServerOptions): ResolvedOptions {
  checkOptions(SHAPE, given)
  const { maxTokens, timeouts, ...options } = defined(given)
  return {
    name: 'chatglm3-6b',
    apiKeys: [],
    corsOrigins: [],
    bodyLimit: 4 * 1024 ** 2,
    maxChoices: 64,
    manageAdapters: false,
    onRequest: () => {},
    logContents: false,
    ...options,
    maxTokens,
    timeouts: { headers: 10_000, request: 60_000, stall: 60_000, ping: 15_000, ...defined(timeouts ?? {}) },
  }
}

/** What is undefined counts as left out. */
function defined<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options
}
