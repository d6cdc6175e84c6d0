import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../testing.js'
import { FolderSink } from './folder-sink.js'
import { FolderSource } from './folder-source.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a folder as a source', () => {
  test('gives names, sizes and ranges of its files', async () => {
    await writeFile(join(folder, 'b'), 'hello')
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'sub', 'c'), 'x')
    for (const location of [folder, pathToFileURL(folder)]) {
      const source = await FolderSource.open(location)
      expect(source.file).toBeUndefined()
      expect(await source.list()).toEqual(['b'])
      expect([await source.has('b'), await source.has('sub/c'), await source.has('sub')]).toEqual([
        true,
        true,
        false,
      ])
      expect([await source.has('x'), await source.has('b/x')]).toEqual([false, false])
      expect(await source.size('b')).toBe(5)
      expect(await source.read('b', 1, 3)).toEqual(utf8('el'))
      expect((await source.read('b', 5, 5)).byteLength).toBe(0)
    }
  })

  test('is the folder of a file that was named', async () => {
    await writeFile(join(folder, 'b'), 'hello')
    const source = await FolderSource.open(join(folder, 'b'))
    expect([source.name, source.file]).toEqual([folder, 'b'])
  })

  test("is the snapshot of a repository in Hugging Face's cache", async () => {
    const repository = join(folder, 'models--owner--name')
    const snapshot = async (revision: string) => {
      await mkdir(join(repository, 'snapshots', revision), { recursive: true })
      await writeFile(join(repository, 'snapshots', revision, 'of'), revision)
    }
    await snapshot('aaa')
    expect(await (await FolderSource.open(repository)).read('of', 0, 3)).toEqual(utf8('aaa'))
    await snapshot('bbb')
    await expect(FolderSource.open(repository)).rejects.toMatchObject({ code: 'source.not-found' })
    await mkdir(join(repository, 'refs'))
    await writeFile(join(repository, 'refs', 'main'), 'bbb\n')
    expect(await (await FolderSource.open(repository)).read('of', 0, 3)).toEqual(utf8('bbb'))
  })

  test('that is missing is looked for on a hub where it is called as repositories are', async () => {
    await expect(FolderSource.open('owner/name')).rejects.toThrow('hf:owner/name')
    await expect(FolderSource.open('./owner/name')).rejects.not.toThrow('hf:')
  })

  test('that is missing, or whose file is, says so', async () => {
    await expect(FolderSource.open(join(folder, 'none'))).rejects.toMatchObject({ code: 'source.not-found' })
    const source = await FolderSource.open(folder)
    await expect(source.read('none', 0, 1)).rejects.toMatchObject({ code: 'source.failed' })
    await expect(source.size('none')).rejects.toThrow(/does not exist/)
  })

  test('tells a file that is too short', async () => {
    await writeFile(join(folder, 'b'), 'hello')
    const source = await FolderSource.open(folder)
    await expect(source.read('b', 0, 6)).rejects.toMatchObject({ code: 'checkpoint.truncated' })
    await expect(source.read('b', -1, 2)).rejects.toMatchObject({ code: 'option.invalid' })
  })

  test('stops when the signal is aborted', async () => {
    await writeFile(join(folder, 'b'), 'hello')
    const source = await FolderSource.open(folder)
    await expect(source.read('b', 0, 1, AbortSignal.abort())).rejects.toThrow(/abort/)
  })

  test('follows no path and no link out of itself', async () => {
    await writeFile(join(folder, 'secret'), 'x')
    await mkdir(join(folder, 'model'))
    await symlink(join(folder, 'secret'), join(folder, 'model', 'link'))
    await symlink(folder, join(folder, 'model', 'up'))
    await writeFile(join(folder, 'model', 'real'), 'x')
    await symlink('real', join(folder, 'model', 'alias'))
    const source = await FolderSource.open(join(folder, 'model'))
    for (const path of ['../secret', join(folder, 'secret'), 'link', 'up/secret']) {
      await expect(source.read(path, 0, 1)).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
      await expect(source.has(path)).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
    }
    expect(await source.read('alias', 0, 1)).toEqual(utf8('x'))
  })

  test('follows the links of a Hugging Face cache, and the file that was named wherever it leads', async () => {
    await mkdir(join(folder, 'blobs'))
    await writeFile(join(folder, 'blobs', 'abc'), 'x')
    await mkdir(join(folder, 'snapshots', 'revision'), { recursive: true })
    await symlink('../../blobs/abc', join(folder, 'snapshots', 'revision', 'config.json'))
    const cache = await FolderSource.open(join(folder, 'snapshots', 'revision'))
    expect(await cache.read('config.json', 0, 1)).toEqual(utf8('x'))

    await symlink(join(folder, 'blobs', 'abc'), join(folder, 'named.bin'))
    await mkdir(join(folder, 'other'))
    await symlink(join(folder, 'blobs', 'abc'), join(folder, 'other', 'named.bin'))
    const named = await FolderSource.open(join(folder, 'other', 'named.bin'))
    expect(await named.read('named.bin', 0, 1)).toEqual(utf8('x'))
  })

  test('reads more than one call of the system gives, and beyond 4 GiB', async () => {
    const size = 2 ** 32 + 10
    await writeFile(join(folder, 'large'), '')
    await truncate(join(folder, 'large'), size)
    const source = await FolderSource.open(folder)
    const bytes = await source.read('large', size - 20_000_000, size)
    expect([bytes.byteLength, bytes.every((byte) => byte === 0)]).toEqual([20_000_000, true])
  })
})

describe('a folder as a sink', () => {
  test('is made where it does not exist, and holds what was committed', async () => {
    const sink = await FolderSink.open(join(folder, 'a', 'b'))
    const file = await sink.create('x')
    await file.write(utf8('he'))
    await file.write(utf8('llo'))
    expect([await sink.has('x'), await sink.list()]).toEqual([false, []])
    await file.commit()
    expect(await sink.list()).toEqual(['x'])
    expect(await sink.read('x', 0, await sink.size('x'))).toEqual(utf8('hello'))
    expect(await readdir(join(folder, 'a', 'b'))).toEqual(['x'])
  })

  test('keeps the older file until the new one is committed, also when that is aborted', async () => {
    const sink = await FolderSink.open(folder)
    await writeFile(join(folder, 'x'), 'old')
    const dropped = await sink.create('x')
    await dropped.write(utf8('new'))
    await dropped.abort()
    expect(await sink.read('x', 0, 3)).toEqual(utf8('old'))
    expect(await readdir(folder)).toEqual(['x'])
    const kept = await sink.create('x')
    await kept.write(utf8('new'))
    await kept.commit()
    expect(await sink.read('x', 0, 3)).toEqual(utf8('new'))
  })

  test('does not trip over what a killed run left, nor write through a link in its place', async () => {
    await writeFile(join(folder, 'victim'), 'precious')
    await symlink(join(folder, 'victim'), join(folder, 'x.partial'))
    const sink = await FolderSink.open(folder)
    const file = await sink.create('x')
    await file.write(utf8('new'))
    await file.commit()
    expect(await sink.read('victim', 0, 8)).toEqual(utf8('precious'))
    expect(await sink.read('x', 0, 3)).toEqual(utf8('new'))
  })

  test('removes files, and nothing where there is none', async () => {
    const sink = await FolderSink.open(folder)
    await writeFile(join(folder, 'x'), '')
    await sink.remove('x')
    await sink.remove('x')
    expect(await sink.list()).toEqual([])
  })

  test('refuses paths that leave it and places that cannot be written', async () => {
    const sink = await FolderSink.open(folder)
    await expect(sink.create('../x')).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
    await expect(sink.remove('../x')).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
    await writeFile(join(folder, 'file'), '')
    await expect(FolderSink.open(join(folder, 'file', 'sub'))).rejects.toMatchObject({ code: 'sink.failed' })
    await expect(sink.create('file/sub')).rejects.toMatchObject({ code: 'sink.failed' })
  })
})
