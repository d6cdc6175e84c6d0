import { describe, expect, test } from 'vitest'
import { downloadCheckpoint } from './download.js'
import { MemoryFiles } from './sinks/memory-files.js'
import { floats, json, memory, safetensorsFile, utf8 } from './testing.js'

const WEIGHTS = safetensorsFile([{ name: 'a', dtype: 'F32', shape: [1], bytes: floats(1) }])
const FILES = {
  'config.json': json({ model_type: 'chatglm' }),
  'tokenizer.model': utf8('t'),
  'model.safetensors': WEIGHTS,
  'README.md': utf8('not of the checkpoint'),
}

/** A source that knows a hash of the weights. */
const knowing = (sha256: string) =>
  Object.assign(memory(FILES), {
    hashes: async () => new Map([['model.safetensors', { size: WEIGHTS.byteLength, sha256 }]]),
  })

describe('a download', () => {
  test('copies the files of the checkpoint, and tells how far it is', async () => {
    const to = new MemoryFiles()
    const progress: number[] = []
    const result = await downloadCheckpoint(memory(FILES), to, {
      onProgress: ({ doneBytes, totalBytes }) => progress.push(doneBytes / totalBytes),
    })
    expect(await to.list()).toEqual(['config.json', 'model.safetensors', 'tokenizer.model'])
    expect(await to.read('model.safetensors', 0, WEIGHTS.byteLength)).toEqual(WEIGHTS)
    expect(result).toMatchObject({ files: 3, kept: 0 })
    expect(progress.at(-1)).toBe(1)
  })

  test('that is made again keeps what is there, and fetches what differs', async () => {
    const to = new MemoryFiles()
    await downloadCheckpoint(memory(FILES), to)
    expect(await downloadCheckpoint(memory(FILES), to)).toMatchObject({ files: 3, kept: 3 })
    await (await to.create('tokenizer.model')).commit()
    expect(await downloadCheckpoint(memory(FILES), to)).toMatchObject({ files: 3, kept: 2 })
    expect(await to.size('tokenizer.model')).toBe(1)
  })

  test('of other bytes than the source announces is refused, and leaves no file', async () => {
    const to = new MemoryFiles()
    await expect(downloadCheckpoint(knowing('0'.repeat(64)), to)).rejects.toMatchObject({
      code: 'checkpoint.manifest-mismatch',
    })
    expect(await to.has('model.safetensors')).toBe(false)
  })

  test('ends by the signal', async () => {
    const signal = AbortSignal.abort(new Error('stopped by the test'))
    await expect(downloadCheckpoint(memory(FILES), new MemoryFiles(), { signal })).rejects.toThrow(
      'stopped by the test',
    )
  })
})
