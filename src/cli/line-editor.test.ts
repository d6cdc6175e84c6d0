import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LineEditor } from './line-editor.js'
import { type TestIo, testIo } from './testing.js'

const CTRL_C = '\x03'
const CTRL_D = '\x04'
const LEFT = '\x1b[D'
const UP = '\x1b[A'

describe('the line editor', () => {
  let io: TestIo
  let editor: LineEditor

  beforeEach(() => {
    io = testIo({ terminal: true })
    editor = new LineEditor(io.stdin, io.stderr, '> ', '. ')
  })
  afterEach(() => editor.close())

  const type = (keys: string) => {
    io.stdin.write(keys)
    return new Promise((resolve) => setImmediate(resolve))
  }
  /** What the next entry is after typing, piece by piece. */
  const read = async (...keys: string[]) => {
    const entry = editor.read()
    for (const piece of keys) await type(piece)
    return entry
  }
  const text = (entry: string) => ({ kind: 'text', text: entry })

  it('reads a line, and has it in its history', async () => {
    expect(await read('你好', '\r')).toEqual(text('你好'))
    expect(await read(UP, '！\r')).toEqual(text('你好！'))
  })

  it('inserts several characters that come at once where the cursor is', async () => {
    expect(await read('今天好', LEFT, '（很）', '\r')).toEqual(text('今天（很）好'))
  })

  it('continues a line that ends with a backslash', async () => {
    expect(await read('a\\\r', 'b\\\r', 'c\r')).toEqual(text('a\nb\nc'))
    expect(io.stderr.text).toContain('. ')
  })

  it('takes a paste of several lines as one entry', async () => {
    expect(await read('a\rb\rc\r')).toEqual(text('a\nb\nc'))
  })

  it('waits for Enter where a paste ends within a line', async () => {
    expect(await read('a\rb', '!\r')).toEqual(text('a\nb!'))
  })

  it('tells Ctrl-C on an empty line from Ctrl-C that drops a line', async () => {
    expect(await read('abc', CTRL_C, 'd\r')).toEqual(text('d'))
    expect(await read('a\\\r', CTRL_C, 'd\r')).toEqual(text('d'))
    expect(await read(CTRL_C)).toEqual({ kind: 'interrupt' })
  })

  it('ends with Ctrl-D, for good', async () => {
    expect(await read(CTRL_D)).toEqual({ kind: 'end' })
    expect(await editor.read()).toEqual({ kind: 'end' })
  })

  it('shows nothing typed during work, and keeps it for afterwards', async () => {
    await read('a\r')
    const before = io.stderr.text
    await editor.during(async () => {
      await type('first\r')
      await type('sec')
    })
    expect(io.stderr.text).toBe(before)
    expect(await editor.read()).toEqual(text('first'))
    expect(await read('ond\r')).toEqual(text('second'))
  })

  it('stops work by Ctrl-C and drops what was typed ahead', async () => {
    await read('a\r')
    const work = editor.during(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject('whatever'))),
    )
    const stopped = expect(work).rejects.toMatchObject({ name: 'InterruptedError' })
    await type('ahead\r')
    await type(CTRL_C)
    await stopped
    expect(await read('next\r')).toEqual(text('next'))
  })
})
