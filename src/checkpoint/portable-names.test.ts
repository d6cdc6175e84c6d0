/** Names out of data become names that every file system takes. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { downloadCheckpoint } from './download.js'
import { FolderSink } from './node/folder-sink.js'
import { diskPath, findClash, portableName } from './portable-names.js'
import { DirectoryHandleFiles } from './sinks/directory-handle.js'
import { FakeDirectory } from './sources/testing.js'
import { memory, safetensorsFile, utf8 } from './testing.js'

const DEVICES = ['CON', 'con', 'Prn', 'AUX', 'nul', 'COM1', 'com¹', 'LPT9', 'CONIN$', 'nul.txt', 'Aux.tar.gz']

/** Names as people, programs and attackers give them. */
const names = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'grapheme', minLength: 180, maxLength: 400 }),
  fc.constantFrom(...DEVICES, '.', '..', '...', ' ', 'a.', 'a ', 'a. .', 'a:b', 'a?', '%', '%43ON', '~', '-'),
  fc.string({ unit: fc.constantFrom('.', ' ', 'a', 'A', '%', ':', '中'), minLength: 1, maxLength: 300 }),
)

/** What Windows and the others take. */
function expectAllowed(name: string): void {
  expect(name).not.toMatch(/[\p{Cc}<>:"|?*\\/]|[. ]$/u)
  expect(name).not.toMatch(/^(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])(\.|$)/i)
  expect(new TextEncoder().encode(name).byteLength).toBeLessThanOrEqual(240)
  expect(name).not.toBe('')
}

describe('a name in the storage of a browser', () => {
  it('is taken by every file system, in ASCII and without capitals of its own', () => {
    fc.assert(
      fc.property(names, (name) => {
        const portable = portableName(name)
        expectAllowed(portable)
        expect(portable.replace(/%[0-9A-F]{2}/g, '')).toMatch(/^[ -@[-~]*$/)
      }),
      { numRuns: 300 },
    )
  })

  it('is no other name’s, also where capitals do not count', () => {
    const wellFormed = names.map((name) => name.replace(/\p{Surrogate}/gu, '?'))
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        expect(portableName(a).toLowerCase() === portableName(b).toLowerCase()).toBe(a === b)
      }),
      { numRuns: 300 },
    )
    expect(portableName('Model')).not.toBe(portableName('model'))
    expect(portableName('x'.repeat(300))).not.toBe(portableName(`${'x'.repeat(299)}y`))
  })
})

describe('a path on a disk', () => {
  it('is taken by every file system, and stays when it is given again', () => {
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 3 }), (parts) => {
        const path = diskPath(parts.map((part) => part.replaceAll('/', '_')).join('/'))
        for (const part of path.split('/')) expectAllowed(part)
        expect(diskPath(path)).toBe(path)
      }),
      { numRuns: 300 },
    )
  })

  it.each(['model-00001-of-00002.safetensors', 'Sub/模型 (1).bin', 'tokenizer.model', '100%.txt'])(
    '%s is as it was',
    (path) => expect(diskPath(path)).toBe(path),
  )

  it('is told from others by more than capitals', () => {
    expect(findClash(['a', 'b/A', 'A'])).toBe('A')
    expect(findClash(['CON', '%43ON'])).toBe('%43ON')
    expect(findClash(['a', 'b', 'a/b'])).toBeUndefined()
  })
})

describe('files with names that not every system takes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'names-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const paths = ['CON', 'sub/nul.txt', 'tail. ', 'ab:c', 'x'.repeat(300)]

  it.each([
    ['a folder', () => FolderSink.open(folder)],
    ['a directory handle', async () => new DirectoryHandleFiles(new FakeDirectory('x') as never)],
  ])('are written to %s and read from it', async (_, open) => {
    const files = await open()
    for (const path of paths) {
      const file = await files.create(path)
      await file.write(utf8(path))
      await file.commit()
    }
    for (const path of paths) {
      expect(await files.has(path)).toBe(true)
      expect(await files.read(path, 0, await files.size(path))).toEqual(utf8(path))
    }
    for (const name of await files.list()) expectAllowed(name)
    await files.remove('CON')
    expect(await files.has('CON')).toBe(false)
  })

  it('lie on the disk under names that it takes', () => {
    for (const name of readdirSync(folder)) expectAllowed(name)
  })

  it('are refused by a download where two of them would be one', async () => {
    const model = safetensorsFile([{ name: 'a', dtype: 'U8', shape: [1], bytes: new Uint8Array(1) }])
    const index = { weight_map: { a: 'Part.safetensors', b: 'part.safetensors' } }
    const source = memory({
      'model.safetensors.index.json': utf8(JSON.stringify(index)),
      'Part.safetensors': model,
      'part.safetensors': model,
      'config.json': utf8('{}'),
    })
    await expect(downloadCheckpoint(source, memory({}))).rejects.toMatchObject({ code: 'checkpoint.corrupt' })
  })
})
