import { describe, expect, test } from 'vitest'
import { openCheckpoint } from '../open-checkpoint.js'
import { openSink, openSource } from '../open-files.js'
import { DirectoryHandleFiles } from '../sinks/directory-handle.js'
import { floats, safetensorsFile, utf8 } from '../testing.js'
import { FileListSource } from './file-list-source.js'
import { FakeDirectory, FakeFile } from './testing.js'

function file(name: string, content: Uint8Array, webkitRelativePath = ''): File {
  const created = new File([content.slice()], name)
  Object.defineProperty(created, 'webkitRelativePath', { value: webkitRelativePath })
  return created
}

const model = () => safetensorsFile([{ name: 'a', dtype: 'F32', shape: [2], bytes: floats(1, 2) }])

describe('chosen files', () => {
  test('are a checkpoint', async () => {
    const files = [file('config.json', utf8('{}')), file('model.safetensors', model())]
    const checkpoint = await openCheckpoint(files)
    expect(await checkpoint.readRange('a', 4, 8)).toEqual(floats(2))
    expect(checkpoint.name).toBe('2 files')
  })

  test('of a folder are known without the name of the folder', async () => {
    const source = new FileListSource([
      file('x', utf8('hello'), 'chosen/x'),
      file('y', utf8('deep'), 'chosen/sub/y'),
    ])
    expect(source.name).toBe('chosen')
    expect(await source.list()).toEqual(['x'])
    expect(await source.read('sub/y', 1, 3)).toEqual(utf8('ee'))
    expect(await source.has('chosen/x')).toBe(false)
  })

  test('may be one file of any name', async () => {
    expect((await openCheckpoint([file('prefix.safetensors', model())])).tensors.size).toBe(1)
  })

  test('are refused where there is none, or two of one name', () => {
    expect(() => new FileListSource([])).toThrow(expect.objectContaining({ code: 'source.not-found' }))
    expect(() => new FileListSource([file('a', utf8('')), file('a', utf8(''))])).toThrow(
      /Two of the given files/,
    )
  })

  test('that are missing, too short or changed on the disk say so', async () => {
    const gone = file('gone', utf8('hello'))
    Object.defineProperty(gone, 'slice', {
      value: () => ({ arrayBuffer: () => Promise.reject(new DOMException('changed', 'NotReadableError')) }),
    })
    const source = new FileListSource([file('a', utf8('hello')), gone])
    await expect(source.size('b')).rejects.toMatchObject({ code: 'source.failed' })
    await expect(source.read('a', 0, 6)).rejects.toMatchObject({ code: 'checkpoint.truncated' })
    await expect(source.read('gone', 0, 5)).rejects.toThrow(/choose it again/)
    await expect(source.has('../a')).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
    await expect(source.read('a', 0, 1, AbortSignal.abort())).rejects.toThrow(/abort/)
  })
})

const handle = (root: FakeDirectory) => root as unknown as FileSystemDirectoryHandle

describe('a directory handle', () => {
  test('is written to and read from, also in its folders', async () => {
    const files = new DirectoryHandleFiles(handle(new FakeDirectory('models')))
    for (const path of ['model.safetensors', 'sub/deep/x']) {
      const created = await files.create(path)
      await created.write(model())
      await created.commit()
    }
    expect(await files.list()).toEqual(['model.safetensors'])
    expect([await files.has('sub/deep/x'), await files.has('sub/deep'), await files.has('none/x')]).toEqual([
      true,
      false,
      false,
    ])
    expect(await (await openCheckpoint(files)).read('a')).toEqual(floats(1, 2))
    await files.remove('sub/deep/x')
    await files.remove('sub/deep/x')
    expect(await files.has('sub/deep/x')).toBe(false)
  })

  test('is recognised as a source and as a sink', async () => {
    const root = handle(new FakeDirectory(''))
    expect((await openSource(root)).name).toBe('the private file system')
    expect(await openSink(root)).toBeInstanceOf(DirectoryHandleFiles)
  })

  test('keeps the older content until a file is committed, and no empty file where there was none', async () => {
    const files = new DirectoryHandleFiles(handle(new FakeDirectory('models')))
    const first = await files.create('x')
    await first.write(utf8('old'))
    await first.commit()
    const second = await files.create('x')
    await second.write(utf8('new'))
    expect(await files.read('x', 0, 3)).toEqual(utf8('old'))
    await second.abort()
    expect(await files.read('x', 0, 3)).toEqual(utf8('old'))
    await (await files.create('y')).abort()
    expect(await files.list()).toEqual(['x'])
  })

  test('that is full, or lacks a file, says so', async () => {
    const root = new FakeDirectory('models')
    const full = new FakeFile('x')
    full.quota = 2
    root.children.set('x', full)
    const files = new DirectoryHandleFiles(handle(root))
    await expect((await files.create('x')).write(utf8('new'))).rejects.toMatchObject({ code: 'sink.failed' })
    await expect((await files.create('x')).write(utf8('new'))).rejects.toThrow(/no more space/)
    await expect(files.read('y', 0, 1)).rejects.toMatchObject({ code: 'source.failed' })
    await expect(files.read('../y', 0, 1)).rejects.toMatchObject({ code: 'checkpoint.unsafe-path' })
  })
})

describe('a location', () => {
  test('that cannot be opened or written to is refused with what would do', async () => {
    await expect(openSource('https://')).rejects.toMatchObject({ code: 'source.not-found' })
    await expect(openSource('/no/such/folder')).rejects.toMatchObject({ code: 'source.not-found' })
    await expect(openSink('https://example.com/x')).rejects.toThrow(/path of a folder/)
    await expect(openSink(new URL('https://example.com/x'))).rejects.toMatchObject({ code: 'sink.failed' })
    await expect(openSink('hf:a/b')).rejects.toMatchObject({ code: 'sink.failed' })
  })
})
