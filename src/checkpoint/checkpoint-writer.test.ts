import { describe, expect, test } from 'vitest'
import { SinkError } from '../errors/index.js'
import { type CheckpointWriter, openCheckpointWriter } from './checkpoint-writer.js'
import { readManifest, verifyManifest } from './formats/manifest.js'
import type { TensorDeclaration } from './formats/tensor-file.js'
import { openCheckpoint } from './open-checkpoint.js'
import { MemoryFiles } from './sinks/memory-files.js'
import { utf8 } from './testing.js'

/** Six tensors of 100 bytes and an empty one: three shards of 250 bytes at most. */
const TENSORS: TensorDeclaration[] = ['a', 'b', 'empty', 'c', 'd', 'e', 'f'].map((name) => ({
  name,
  dtype: 'U8',
  shape: [name === 'empty' ? 0 : 100],
}))
const OPTIONS = { config: { num_layers: 1 }, shardBytes: 250, settings: { bits: 4 } }
const bytesOf = (name: string) => new Uint8Array(100).fill(name.charCodeAt(0))

/** Writes whole shards until there is none, or `limit` have been written; gives their names. */
async function writeShards(writer: CheckpointWriter, limit = Infinity): Promise<string[]> {
  const written: string[] = []
  for (
    let shard = writer.nextShard();
    shard !== undefined && written.length < limit;
    shard = writer.nextShard()
  ) {
    for (const { name, byteLength } of shard.tensors) {
      await writer.write(name, bytesOf(name).subarray(0, Math.min(30, byteLength)))
      await writer.write(name, bytesOf(name).subarray(30, Math.max(30, byteLength)))
    }
    written.push(shard.file)
  }
  return written
}

const shardName = (i: number) => `model-0000${i}-of-00003.safetensors`

async function contents(sink: MemoryFiles): Promise<Record<string, string>> {
  const names = await sink.list()
  const bytes = await Promise.all(names.map(async (name) => sink.read(name, 0, await sink.size(name))))
  return Object.fromEntries(names.map((name, i) => [name, Buffer.from(bytes[i]!).toString('latin1')]))
}

/** A finished checkpoint. */
async function finished(): Promise<MemoryFiles> {
  const sink = new MemoryFiles()
  const writer = await openCheckpointWriter(sink, TENSORS, OPTIONS)
  await writeShards(writer)
  await writer.finish()
  return sink
}

describe('a written checkpoint', () => {
  test('has shards below the limit, index, config, other files, and a manifest of them all', async () => {
    const sink = new MemoryFiles()
    const writer = await openCheckpointWriter(sink, TENSORS, OPTIONS)
    expect(writer.shards.map(({ file, byteLength }) => [file, byteLength])).toEqual([
      [shardName(1), 200],
      [shardName(2), 200],
      [shardName(3), 200],
    ])
    await writeShards(writer)
    await writer.addFile('NOTICE', utf8('notice'))
    await writer.copyFile(new MemoryFiles([['tokenizer.model', utf8('tokens')]]), 'tokenizer.model')
    const manifest = await writer.finish()
    const names = [shardName(1), shardName(2), shardName(3), 'NOTICE', 'config.json', 'tokenizer.model']
    const all = [...names, 'model.safetensors.index.json'].sort()
    expect([...manifest.keys()].sort()).toEqual(all)
    expect(await sink.list()).toEqual([...all, 'manifest.json'].sort())
    expect(await readManifest(sink)).toEqual(manifest)
    await verifyManifest(sink, manifest)

    const checkpoint = await openCheckpoint(sink)
    expect(checkpoint.config).toEqual({ num_layers: 1 })
    expect([...checkpoint.tensors.keys()].sort()).toEqual(TENSORS.map(({ name }) => name).sort())
    for (const name of 'abcdef') expect(await checkpoint.read(name)).toEqual(bytesOf(name))
  })

  test('of one shard is called model.safetensors', async () => {
    const sink = new MemoryFiles()
    const writer = await openCheckpointWriter(sink, TENSORS, { config: {} })
    expect(await writeShards(writer)).toEqual(['model.safetensors'])
    await writer.finish()
    expect((await openCheckpoint(sink)).tensors.size).toBe(7)
  })

  test('gives a tensor above the limit a shard of its own, but no shard to empty tensors alone', async () => {
    const large = await openCheckpointWriter(new MemoryFiles(), TENSORS, { ...OPTIONS, shardBytes: 50 })
    expect(large.shards.map(({ tensors }) => tensors.length)).toEqual([1, 2, 1, 1, 1, 1])
    const empty = TENSORS.filter(({ name }) => name === 'empty')
    const first = await openCheckpointWriter(new MemoryFiles(), [...empty, TENSORS[0]!], {
      ...OPTIONS,
      shardBytes: 50,
    })
    expect(first.shards.map(({ tensors }) => tensors.length)).toEqual([2])
  })
})

describe('an interrupted run', () => {
  test('is continued: complete shards are skipped, and the result is that of a run in one go', async () => {
    const sink = new MemoryFiles()
    const first = await openCheckpointWriter(sink, TENSORS, OPTIONS)
    await writeShards(first, 1)
    await first.write('c', bytesOf('c'))
    await expect(openCheckpoint(sink)).rejects.toThrow(/unfinished/)

    const progress: unknown[] = []
    const second = await openCheckpointWriter(sink, TENSORS, {
      ...OPTIONS,
      onProgress: (step) => progress.push(step),
    })
    expect(second.shards.map((shard) => second.isComplete(shard))).toEqual([true, false, false])
    const size = await sink.size(shardName(1))
    expect(progress).toEqual([{ path: shardName(1), bytesDone: size, bytesTotal: size }])
    expect(await writeShards(second)).toEqual([shardName(2), shardName(3)])
    await second.finish()
    expect(await contents(sink)).toEqual(await contents(await finished()))
  })

  test('writes a shard anew that is damaged, missing or was never recorded', async () => {
    const sink = new MemoryFiles()
    await writeShards(await openCheckpointWriter(sink, TENSORS, OPTIONS))
    const damaged = (await sink.read(shardName(1), 0, await sink.size(shardName(1)))).slice()
    damaged[damaged.length - 1]! ^= 1
    const file = await sink.create(shardName(1))
    await file.write(damaged)
    await file.commit()
    await sink.remove(shardName(3))
    const writer = await openCheckpointWriter(sink, TENSORS, OPTIONS)
    expect(writer.nextShard()?.file).toBe(shardName(1))
    expect(await writeShards(writer)).toEqual([shardName(1), shardName(3)])
    await writer.finish()
    expect(await contents(sink)).toEqual(await contents(await finished()))
  })

  test('with other settings, tensors or config is refused, or replaced when asked', async () => {
    const others = [
      { ...OPTIONS, settings: { bits: 8 } },
      { ...OPTIONS, config: {} },
      { ...OPTIONS, shardBytes: 150 },
    ]
    for (const options of others) {
      const sink = new MemoryFiles()
      await writeShards(await openCheckpointWriter(sink, TENSORS, OPTIONS), 2)
      await expect(openCheckpointWriter(sink, TENSORS, options)).rejects.toMatchObject({
        code: 'sink.resume-mismatch',
      })
      await expect(openCheckpointWriter(sink, TENSORS.slice(1), OPTIONS)).rejects.toMatchObject({
        code: 'sink.resume-mismatch',
      })
      const writer = await openCheckpointWriter(sink, TENSORS, { ...options, restart: true })
      expect(await sink.list()).toEqual(['checkpoint-progress.json'])
      await writeShards(writer)
      await writer.finish()
      expect((await openCheckpoint(sink)).tensors.size).toBe(7)
    }
  })

  test('whose record is damaged is refused', async () => {
    for (const text of [
      '{',
      '[]',
      '{"version":9}',
      '{"version":1,"identity":"x","planned":[1],"complete":{}}',
    ]) {
      const sink = new MemoryFiles([['checkpoint-progress.json', utf8(text)]])
      await expect(openCheckpointWriter(sink, TENSORS, OPTIONS)).rejects.toMatchObject({
        code: 'checkpoint.corrupt',
      })
    }
  })
})

describe('a destination', () => {
  test('with a finished checkpoint is refused, or replaced when asked', async () => {
    const sink = await finished()
    await expect(openCheckpointWriter(sink, TENSORS, OPTIONS)).rejects.toMatchObject({
      code: 'sink.occupied',
    })
    await expect(openCheckpointWriter(sink, TENSORS, OPTIONS)).rejects.toThrow(/finished checkpoint/)
    const writer = await openCheckpointWriter(sink, TENSORS, { ...OPTIONS, shardBytes: 1000, restart: true })
    await writeShards(writer)
    await writer.finish()
    expect((await sink.list()).filter((name) => name.endsWith('.safetensors'))).toEqual(['model.safetensors'])
  })

  test('with weights of another origin is always refused, and left alone', async () => {
    const sink = new MemoryFiles([['model-00001-of-00007.safetensors', utf8('official')]])
    const open = openCheckpointWriter(sink, TENSORS, { ...OPTIONS, restart: true })
    await expect(open).rejects.toThrow(/not written by an earlier run/)
    expect(await sink.list()).toEqual(['model-00001-of-00007.safetensors'])
  })

  test('with other files is taken', async () => {
    const sink = new MemoryFiles([['README.md', utf8('x')]])
    await openCheckpointWriter(sink, TENSORS, OPTIONS)
    expect(await sink.list()).toEqual(['README.md', 'checkpoint-progress.json'])
  })

  test('that fails drops the shard being written, which can then be written again', async () => {
    class Full extends MemoryFiles {
      full = true
      override async create(path: string) {
        const file = await super.create(path)
        const write = async (bytes: Uint8Array) => {
          if (this.full && path === shardName(2) && bytes.byteLength === 70)
            throw new SinkError('sink.failed', 'disk full')
          await file.write(bytes)
        }
        return { ...file, write }
      }
    }
    const sink = new Full()
    const writer = await openCheckpointWriter(sink, TENSORS, OPTIONS)
    await expect(writeShards(writer)).rejects.toThrow('disk full')
    sink.full = false
    expect(await writeShards(writer)).toEqual([shardName(2), shardName(3)])
    await writer.finish()
    expect(await contents(sink)).toEqual(await contents(await finished()))
  })
})

describe('bytes out of order are refused', () => {
  test('another tensor, too many bytes, more tensors than declared', async () => {
    const writer = await openCheckpointWriter(new MemoryFiles(), TENSORS, OPTIONS)
    await expect(writer.write('b', bytesOf('b'))).rejects.toThrow(/Tensor b was written, but a comes next/)
    await expect(writer.write('a', new Uint8Array(101))).rejects.toMatchObject({ code: 'sink.write-order' })
    await expect(writer.finish()).rejects.toThrow(/model-00001-of-00003\.safetensors is not complete/)
    await writeShards(writer)
    await expect(writer.write('a', bytesOf('a'))).rejects.toThrow(/All tensors have been written/)
  })

  test('tensors declared twice, none at all, and files the checkpoint itself writes', async () => {
    const open = (tensors: TensorDeclaration[]) => openCheckpointWriter(new MemoryFiles(), tensors, OPTIONS)
    await expect(open([...TENSORS, TENSORS[0]!])).rejects.toMatchObject({ code: 'sink.write-order' })
    for (const nothing of [[], TENSORS.slice(2, 3)])
      await expect(open(nothing)).rejects.toMatchObject({ code: 'sink.write-order' })
    const writer = await open(TENSORS)
    for (const path of ['config.json', './manifest.json', shardName(1)]) {
      await expect(writer.addFile(path, utf8('x'))).rejects.toMatchObject({ code: 'sink.write-order' })
    }
  })
})
