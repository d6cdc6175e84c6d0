import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPortableSha256, createSha256, hashFile } from '../sha256.js'
import { json, memory, utf8 } from '../testing.js'
import { readManifest, verifyManifest, writeManifest } from './manifest.js'

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const MANIFEST = new Map([
  ['b/c', { size: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' }],
  ['a', { size: 5, sha256: HELLO }],
])
const files = () => memory({ a: utf8('hello'), 'b/c': new Uint8Array(0), unlisted: utf8('x') })

describe('SHA-256', () => {
  test('is the known one, by Node and in plain JavaScript, however the bytes are cut', async () => {
    for (const hash of [await createSha256(), createPortableSha256()]) {
      hash.update(utf8('he'))
      hash.update(new Uint8Array(0))
      hash.update(utf8('llo'))
      expect(hash.digest()).toBe(HELLO)
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (chunks) => {
        const hashes = [await createSha256(), createPortableSha256()]
        for (const hash of hashes) for (const chunk of chunks) hash.update(chunk)
        return hashes[0]!.digest() === hashes[1]!.digest()
      }),
    )
  })

  test('of a file is read in chunks and told as it goes', async () => {
    const told: number[] = []
    const source = memory({ a: new Uint8Array(20_000_000) })
    await hashFile(source, 'a', { onBytes: (bytes) => told.push(bytes) })
    expect(told).toEqual([2 ** 23, 2 ** 23, 20_000_000 - 2 ** 24])
  })
})

describe('a manifest', () => {
  test('is written and read', async () => {
    const sink = memory({})
    expect(await readManifest(sink)).toBeUndefined()
    await writeManifest(sink, MANIFEST)
    expect(await readManifest(sink)).toEqual(MANIFEST)
  })

  test('fits its files, with progress to the end', async () => {
    const progress: unknown[] = []
    await verifyManifest(files(), MANIFEST, { onProgress: (step) => progress.push(step) })
    expect(progress).toEqual([{ path: 'a', bytesDone: 5, bytesTotal: 5 }])
  })

  test('that its files do not fit tells each that is missing or differs', async () => {
    const source = memory({ a: utf8('hellO'), 'b/c': utf8('x') })
    const more = new Map([...MANIFEST, ['d', { size: 1, sha256: HELLO }]])
    const error = await verifyManifest(source, more).catch((caught: unknown) => caught)
    const mismatches = [
      { path: 'b/c', problem: 'has 1 bytes instead of 0' },
      { path: 'd', problem: 'is missing' },
      { path: 'a', problem: expect.stringContaining(HELLO) },
    ]
    expect(error).toMatchObject({ code: 'checkpoint.manifest-mismatch', details: { mismatches } })
  })

  test('is no longer compared once the signal is aborted', async () => {
    await expect(verifyManifest(files(), MANIFEST, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/)
  })

  test('that is malformed, of a later version, or leads elsewhere is refused', async () => {
    const read = (value: unknown) => readManifest(memory({ 'manifest.json': json(value) }))
    const entry = { size: 1, sha256: HELLO }
    for (const value of [
      1,
      { version: 1 },
      { version: 1, files: [] },
      { version: 1, files: { a: { ...entry, size: -1 } } },
    ]) {
      await expect(read(value)).rejects.toMatchObject({ code: 'checkpoint.corrupt' })
    }
    await expect(read({ version: 1, files: { a: { ...entry, sha256: 'x' } } })).rejects.toMatchObject({
      code: 'checkpoint.corrupt',
    })
    await expect(read({ version: 2, files: {} })).rejects.toMatchObject({ code: 'checkpoint.unsupported' })
    await expect(read({ version: 1, files: { '../a': entry } })).rejects.toMatchObject({
      code: 'checkpoint.unsafe-path',
    })
  })
})
