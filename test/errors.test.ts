/** Errors are told apart by their codes, and every code is in use. */
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ChatGLMError,
  CheckpointError,
  createError,
  DeviceError,
  ERROR_CODES,
  ERROR_KINDS,
  type ErrorCode,
  hasCode,
  invalidOption,
  OptionError,
  tooManyWaiting,
} from '../src/errors/index.js'

const CODES = Object.keys(ERROR_CODES) as ErrorCode[]

interface SourceFile {
  readonly path: string
  readonly text: string
}

function sourcesIn(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$|(^|\/)testing[./]/.test(name))
    .map((name) => posix.join(folder, name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}

const library = sourcesIn('src')
const everything = [...library, ...['demo', 'bench', 'tools'].flatMap(sourcesIn)]

/** Lines of files that match. */
function linesLike(pattern: RegExp): string[] {
  return everything.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line) => (pattern.test(line) ? [`${path}: ${line.trim()}`] : [])),
  )
}

describe('an error', () => {
  it('has code, kind, details, message, cause and the name of its class', () => {
    const cause = new Error('why')
    const error = new CheckpointError('checkpoint.not-finite', 'a message', {
      cause,
      details: { position: 3 },
    })
    expect(error).toMatchObject({
      code: 'checkpoint.not-finite',
      kind: 'checkpoint',
      details: { position: 3 },
    })
    expect(error).toMatchObject({ message: 'a message', cause, name: 'CheckpointError' })
    expect(error).toBeInstanceOf(ChatGLMError)
    expect('cause' in new DeviceError('device.lost', 'gone')).toBe(false)
  })

  it('cannot have a code of another kind, or no details where its code has some', () => {
    // @ts-expect-error: a code of another kind
    new OptionError('device.lost', 'a message')
    // @ts-expect-error: no code
    new OptionError('option.unheard-of', 'a message')
    // @ts-expect-error: details are missing
    new DeviceError('device.out-of-memory', 'a message')
    // @ts-expect-error: details of another code
    new DeviceError('device.out-of-memory', 'a message', { details: { position: 3 } })
  })

  it.each(CODES)('of code %s is of the class of its kind', (code) => {
    const error = createError(code, 'a message', { details: { some: 'thing' } })
    expect(Object.keys(ERROR_KINDS)).toContain(error.kind)
    expect(error.name.toLowerCase()).toBe(`${error.kind}error`)
    expect(error).toMatchObject({ code, details: { some: 'thing' } })
  })

  it('is told by one of some codes, also if another copy of the library made it', () => {
    const error: unknown = invalidOption('topK', -1, 'a whole number')
    expect(hasCode(error, 'option.invalid')).toBe(true)
    expect(hasCode(error, 'device.lost', 'option.invalid')).toBe(true)
    expect(hasCode(error, 'device.lost')).toBe(false)
    expect(hasCode(Object.assign(new Error('x'), { code: 'device.lost' }), 'device.lost')).toBe(true)
    for (const other of [undefined, null, 'device.lost', { code: 'device.lost' }, new Error('device.lost')]) {
      expect(hasCode(other, 'device.lost')).toBe(false)
    }
  })

  it('has details that a worker can send', () => {
    const { details } = invalidOption('adapter', { a: () => 1 }, 'an adapter')
    expect(structuredClone(details)).toEqual({
      option: 'adapter',
      value: '{"a":a function}',
      expected: 'an adapter',
    })
  })

  it('of too many sequences that wait names the limit and the option', () => {
    expect(tooManyWaiting(7)).toMatchObject({ code: 'busy.waiting', details: { maxWaiting: 7 } })
    expect(tooManyWaiting(7).message).toMatch(/^7 sequences.*maxWaiting/)
  })
})

describe('the table of codes', () => {
  it('has short and stable names', () => {
    expect(CODES.filter((code) => !/^[a-z]+\.[a-z]+(-[a-z]+)*$/.test(code))).toEqual([])
  })

  it('says of each what it means and what to do, in sentences that fit into a table', () => {
    const texts = CODES.flatMap((code) => [ERROR_CODES[code].meaning, ERROR_CODES[code].advice])
    expect(texts.filter((text) => !/^[^|\n]+\.$/.test(text))).toEqual([])
  })

  it('has no code that nothing throws', () => {
    const made = new Set(
      library
        .filter(({ path }) => path !== 'src/errors/codes.ts')
        .flatMap(({ text }) =>
          [...text.matchAll(/\b\w+Error\(\s*'([a-z]+\.[a-z-]+)'/g)].map(([, code]) => code),
        ),
    )
    expect(CODES.filter((code) => !made.has(code))).toEqual([])
  })
})

describe('nothing in the library, the demo, the benchmarks and the tools', () => {
  it('shows other rooms a class of error of its own', () => {
    const entrances = library.filter(
      ({ path }) => path.endsWith('/index.ts') && !/^src\/(errors\/)?index/.test(path),
    )
    expect(entrances.length).toBeGreaterThan(5)
    const shown = entrances.flatMap(({ path, text }) =>
      [...text.matchAll(/\b[A-Z]\w*Error\b/g)].map(([name]) => `${path}: ${name}`),
    )
    expect(shown).toEqual([])
  })

  it('compares names of our errors', () => {
    const names = [...Object.keys(ERROR_KINDS).map((kind) => `${kind[0].toUpperCase()}${kind.slice(1)}Error`)]
    expect(linesLike(new RegExp(`\\.name\\b.*'(?:ChatGLMError|${names.join('|')})'`))).toEqual([])
    const platform = ['AbortError', 'InvalidStateError', 'NoModificationAllowedError', 'NotFoundError']
    const known = new RegExp(`'(?:${[...platform, 'QuotaExceededError'].join('|')})'`)
    expect(linesLike(/\.name [!=]== '\w+Error'/).filter((line) => !known.test(line))).toEqual([])
  })

  it('compares classes or texts of errors, where a code tells more', () => {
    const kinds = Object.keys(ERROR_KINDS).join('|')
    expect(linesLike(new RegExp(`instanceof (?:${kinds})Error\\b`, 'i'))).toEqual([])
    expect(
      linesLike(/(?<!typeof )\bmessage(?:\.(?:includes|startsWith|endsWith|match|search)\(| [!=]== ['"`])/),
    ).toEqual([])
  })
})
