/** Values that no call expects, and what a call does with them. */
import { ChatGLMError } from '../../src/errors/index.js'

/** No call may take longer to refuse a value. */
const MAX_MILLISECONDS = 2000

/** What user code throws that is looked at where it should not be. */
class Trap extends Error {}

const trap = (): never => {
  throw new Trap('a trap')
}

/** A proxy whose every use throws. */
const TRAPS: ProxyHandler<object> = Object.fromEntries(
  [
    ...['get', 'set', 'has', 'ownKeys', 'getPrototypeOf', 'setPrototypeOf', 'getOwnPropertyDescriptor'],
    ...['defineProperty', 'deleteProperty', 'isExtensible', 'preventExtensions', 'apply', 'construct'],
  ].map((name) => [name, trap]),
)

const selfish: Record<string, unknown> = {}
selfish.self = selfish

/** By name, for messages; made anew where a use may change them. */
export const HOSTILE: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-1': () => -1,
  '0.5': () => 0.5,
  '2^53': () => 2 ** 53,
  '1e308': () => 1e308,
  'a bigint': () => 10n ** 30n,
  'a symbol': () => Symbol('s'),
  'an empty text': () => '',
  'a text': () => 'constructor',
  'a long text': () => 'a/'.repeat(50_000),
  'half a character': () => '\ud800',
  'a text with a zero': () => 'a\0b',
  'an empty list': () => [],
  'a list of null': () => [null],
  'a list of NaN': () => [Number.NaN],
  'a list of lists': () => [[[]]],
  'a list with a hole': () => new Array(3),
  'a list of objects': () => [{}],
  'an object': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'an object with a prototype of its own': () => JSON.parse('{"__proto__": {"length": 3}, "constructor": 1}'),
  'an object that is part of itself': () => selfish,
  'an object like a list': () => ({ length: 2 ** 32 - 1, 0: 1 }),
  'an object that cannot be text': () => ({ toString: trap, valueOf: trap, toJSON: trap }),
  'an object with a getter that throws': () =>
    new Proxy({ a: 1 }, { get: trap, ownKeys: () => ['a'], has: () => true }),
  'an object that throws at every use': () => new Proxy({}, TRAPS),
  'a function that throws at every use': () => new Proxy(() => {}, TRAPS),
  'an object that has everything': () => new Proxy({}, { get: () => () => undefined, has: () => true }),
  'a promise that never ends': () => new Promise(() => {}),
  'an iterable that throws': () => ({ [Symbol.iterator]: trap, [Symbol.asyncIterator]: trap }),
  'a function': () => () => undefined,
  'a function that throws': () => trap,
  'a class': () => class {},
  'a date': () => new Date(Number.NaN),
  'a map': () => new Map<unknown, unknown>([[{}, 1]]),
  'a buffer': () => new ArrayBuffer(3),
  bytes: () => new Uint8Array([0xff, 0, 0x80]),
  floats: () => new Float64Array([Number.NaN, -1]),
  'an error': () => new Error('e'),
  'a regular expression': () => /a/g,
  'a promise that is rejected': () => {
    const promise = Promise.reject(new Trap('late'))
    promise.catch(() => {})
    return promise
  },
}

/** What a call with good arguments is, so that one of them at a time can be replaced. */
export interface Call {
  readonly name: string
  readonly call: (...args: never[]) => unknown
  /** Good arguments, made anew for each call. */
  readonly args: () => readonly unknown[]
}

/** Calls with one argument, or one field of an argument, replaced by each hostile value. */
export function* hostileCalls({ args }: Call): Generator<readonly [what: string, args: unknown[]]> {
  const good = args()
  for (const [value, make] of Object.entries(HOSTILE)) {
    for (const [position, argument] of good.entries()) {
      const replaced = (by: unknown) => args().map((one, index) => (index === position ? by : one))
      yield [`argument ${position} is ${value}`, replaced(make())]
      if (!isPlain(argument)) continue
      for (const field of [...Object.keys(argument), 'unheardOf']) {
        const changed = { ...(args()[position] as object), [field]: make() }
        yield [`${field} of argument ${position} is ${value}`, replaced(changed)]
      }
    }
  }
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** What is wrong with how a call ended; undefined where it ended as it may: with a value, or an error of this project. */
export async function problemOf(call: Call, args: readonly unknown[]): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('it does not end'), MAX_MILLISECONDS)
  })
  try {
    return await Promise.race([late, settle(call, args).then(() => undefined)])
  } catch (error) {
    if (!(error instanceof ChatGLMError)) return `it throws ${nameOf(error)}`
    return error.message.length > 4000 ? `a message of ${error.message.length} characters` : undefined
  } finally {
    clearTimeout(timer)
  }
}

async function settle({ call }: Call, args: readonly unknown[]): Promise<void> {
  const result: unknown = await call(...(args as never[]))
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return
  for await (const _ of result as AsyncIterable<unknown>) break
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return `a ${typeof error}`
  return `${error.constructor.name}: ${error.message.slice(0, 100)} ${process.env.STACK ? error.stack?.split('\n').slice(1, 5).join('\n') : error.stack?.split('\n')[1]?.trim()}`
}
