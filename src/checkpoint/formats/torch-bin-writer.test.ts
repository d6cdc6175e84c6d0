import { Uint8ArrayReader, ZipReader } from '@zip.js/zip.js/lib/zip-core-custom.js'
import { describe, expect, test } from 'vitest'
import { Checkpoint } from '../checkpoint.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { MemoryFiles } from '../sinks/memory-files.js'
import { fixture, floats } from '../testing.js'
import { openTorchBin } from './torch-bin.js'
import { writeTorchBin } from './torch-bin-writer.js'

const NAME = 'transformer.prefix_encoder.embedding.weight'

async function entries(bytes: Uint8Array): Promise<string[]> {
  const names = (await new ZipReader(new Uint8ArrayReader(bytes)).getEntries()).map(
    ({ filename }) => filename,
  )
  return names.map((name) => name.slice(name.indexOf('/') + 1))
}

describe('a written .bin', () => {
  test('reads back with every name, dtype, shape and byte', async () => {
    const sink = new MemoryFiles()
    const tensors = [
      { name: NAME, dtype: 'F32', shape: [2, 3], bytes: floats(1, 2, 3, 4, 5, 6) },
      { name: '名', dtype: 'F16', shape: [3], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'scalar', dtype: 'I64', shape: [], bytes: new Uint8Array(8).fill(7) },
      { name: 'empty', dtype: 'BF16', shape: [0, 4], bytes: new Uint8Array(0) },
      {
        name: 'large',
        dtype: 'U8',
        shape: [3_000_000],
        bytes: new Uint8Array(3_000_000).map((_, i) => i % 251),
      },
    ] as const
    await writeTorchBin(sink, 'pytorch_model.bin', tensors)
    const checkpoint = await openCheckpoint(sink)
    expect(checkpoint).toBeInstanceOf(Checkpoint)
    for (const { name, dtype, shape, bytes } of tensors) {
      expect(checkpoint.tensors.get(name)).toMatchObject({ dtype, shape })
      expect(Buffer.from(await checkpoint.read(name)).equals(bytes)).toBe(true)
    }
  })

  test('has the entries that torch writes, stored, with the data aligned to 64 bytes', async () => {
    const theirs = await fixture('prefix_pytorch_model.bin')
    const source = new MemoryFiles([['theirs.bin', theirs]])
    const file = await openTorchBin(source, 'theirs.bin')
    const start = await file.offsetOf(NAME)
    const bytes = theirs.subarray(start, start + 12288)

    const sink = new MemoryFiles()
    await writeTorchBin(sink, 'ours.bin', [{ name: NAME, dtype: 'F32', shape: [8, 384], bytes }])
    const ours = await sink.read('ours.bin', 0, await sink.size('ours.bin'))
    expect(await entries(theirs)).toEqual(expect.arrayContaining(await entries(ours)))
    expect(await entries(ours)).toEqual(['data.pkl', 'byteorder', 'data/0', 'version'])
    const written = await openTorchBin(sink, 'ours.bin')
    expect((await written.offsetOf(NAME)) % 64).toBe(0)
    expect(start % 64).toBe(0)
    expect(written.tensors.get(NAME)).toEqual(file.tensors.get(NAME))
  })

  test('is refused where tensors are given wrongly, and leaves no file', async () => {
    const sink = new MemoryFiles()
    const tensor = { name: 'a', dtype: 'F32', shape: [1], bytes: floats(1) } as const
    const write = (...tensors: Parameters<typeof writeTorchBin>[2]) => writeTorchBin(sink, 'x.bin', tensors)
    await expect(write({ ...tensor, shape: [2] })).rejects.toMatchObject({
      code: 'checkpoint.tensor-mismatch',
    })
    await expect(write({ ...tensor, dtype: 'U32' })).rejects.toMatchObject({ code: 'checkpoint.unsupported' })
    await expect(write(tensor, tensor)).rejects.toMatchObject({ code: 'sink.write-order' })
    await expect(writeTorchBin(sink, 'x.bin', [tensor], AbortSignal.abort())).rejects.toThrow(/abort/i)
    expect(await sink.list()).toEqual([])
  })
})
