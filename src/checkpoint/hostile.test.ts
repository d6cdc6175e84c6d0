import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { ChatGLMError } from '../errors/index.js'
import { readManifest } from './formats/manifest.js'
import { readStateDict } from './formats/torch-pickle.js'
import { openCheckpoint } from './open-checkpoint.js'
import { parseQuantizationConfig } from './quantization/quantized.js'
import { CountingSource, fixture, floats, json, memory, safetensorsFile, utf8 } from './testing.js'

/**
 * Files from strangers: whatever their bytes, reading them ends, in a checkpoint or in an error of this room,
 * and asks for no more bytes at once than the file has.
 */

/** Changes some bytes, cuts, or repeats a part. */
function mutate(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const position = fc.nat({ max: original.length - 1 })
  const byte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x28, 0x2e, 0x52, 0x63))
  const edits = fc.array(fc.tuple(position, byte), { maxLength: 8 })
  return fc
    .tuple(edits, fc.option(position), fc.option(fc.tuple(position, position)))
    .map(([changes, cut, copy]) => {
      let bytes = original.slice()
      for (const [at, value] of changes) bytes[at] = value
      if (copy !== null) bytes = Uint8Array.from([...bytes.subarray(0, copy[0]), ...bytes.subarray(copy[1])])
      return cut === null ? bytes : bytes.subarray(0, cut)
    })
}

/** Opens a checkpoint and reads all of it, or fails as it may. */
async function survives(files: Record<string, Uint8Array>): Promise<void> {
  const source = new CountingSource(memory(files))
  try {
    const checkpoint = await openCheckpoint(source)
    for (const { name, byteLength } of checkpoint.tensors.values()) {
      expect((await checkpoint.read(name)).byteLength).toBe(byteLength)
    }
  } catch (error) {
    if (!(error instanceof ChatGLMError)) throw error
  }
  const sizes = Object.values(files).map((bytes) => bytes.byteLength)
  expect(source.largest).toBeLessThanOrEqual(Math.max(...sizes))
}

const torch: Uint8Array[] = []
beforeAll(async () => {
  for (const name of ['state_dict.bin', 'dtypes.bin', 'shared.bin', 'zip64.bin', 'evil.bin']) {
    torch.push(await fixture(name))
  }
})

describe('mutated files end in a checkpoint or in an error of this room', () => {
  test('safetensors', async () => {
    const file = safetensorsFile([
      { name: 'a', dtype: 'F32', shape: [2, 2], bytes: floats(1, 2, 3, 4) },
      { name: 'b', dtype: 'U8', shape: [3], bytes: Uint8Array.of(1, 2, 3) },
    ])
    await fc.assert(
      fc.asyncProperty(mutate(file), (bytes) => survives({ 'model.safetensors': bytes })),
      { numRuns: 1000 },
    )
  })

  test('torch archives', async () => {
    for (const original of torch) {
      await fc.assert(
        fc.asyncProperty(mutate(original), (bytes) => survives({ 'pytorch_model.bin': bytes })),
        { numRuns: 300 },
      )
    }
  })

  test('pickles', async () => {
    for (const original of torch) {
      // The pickle is the first entry: from its PROTO to its STOP before the next signature.
      const start = original.findIndex(
        (byte, i) => byte === 0x80 && (original[i + 1] === 2 || original[i + 1] === 4),
      )
      const end = original.findIndex((byte, i) => i > start && byte === 0x2e && original[i + 1] === 0x50) + 1
      const pickle = original.slice(start, end === 0 ? undefined : end)
      fc.assert(
        fc.property(mutate(pickle), (bytes) => {
          try {
            readStateDict(bytes, 'pickle')
          } catch (error) {
            if (!(error instanceof ChatGLMError)) throw error
          }
        }),
        { numRuns: 2000 },
      )
    }
  })

  test('random opcodes', () => {
    const opcodes = [
      ...utf8('(.)]}aestubqrhjKMJGXNQRc\n\n'),
      0x80,
      0x85,
      0x86,
      0x87,
      0x88,
      0x8a,
      0x8c,
      0x93,
      0x94,
      0,
      1,
      2,
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...opcodes), { maxLength: 60 }), (bytes) => {
        try {
          readStateDict(Uint8Array.from(bytes), 'pickle')
        } catch (error) {
          if (!(error instanceof ChatGLMError)) throw error
        }
      }),
      { numRuns: 20_000 },
    )
  })

  test('indexes, configs and manifests', async () => {
    const shard = safetensorsFile([{ name: 'a', dtype: 'F32', shape: [1], bytes: floats(1) }])
    const index = json({ metadata: { total_size: 4 }, weight_map: { a: 'x.safetensors' } })
    const manifest = json({ version: 1, files: { a: { size: 1, sha256: '0'.repeat(64) } } })
    await fc.assert(
      fc.asyncProperty(
        mutate(index),
        mutate(manifest),
        fc.jsonValue(),
        async (changed, changedManifest, config) => {
          await survives({
            'x.safetensors': shard,
            'model.safetensors.index.json': changed,
            'config.json': json(config),
          })
          for (const read of [
            () => readManifest(memory({ 'manifest.json': changedManifest })),
            async () => parseQuantizationConfig({ quantization: config }),
          ]) {
            await read().catch((error: unknown) => {
              if (!(error instanceof ChatGLMError)) throw error
            })
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('bombs', () => {
  test('a header of deeply nested arrays is refused', async () => {
    const depth = 2_000_000
    const header = utf8('['.repeat(depth) + ']'.repeat(depth))
    const bytes = new Uint8Array(8 + header.byteLength)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.byteLength), true)
    bytes.set(header, 8)
    await survives({ 'model.safetensors': bytes })
  })

  test('a pickle whose lists double a thousand times costs no more than its length', () => {
    // EMPTY_LIST, then a thousand times a list of the previous list twice, by the memo.
    const doubling = Array.from({ length: 1000 }, () => [
      ...utf8(']('),
      0x68,
      0,
      0x68,
      0,
      ...utf8('eq'),
      0,
    ]).flat()
    const bytes = Uint8Array.from([0x80, 2, ...utf8(']q'), 0, ...doubling, 0x2e])
    expect(() => readStateDict(bytes, 'pickle')).toThrow(ChatGLMError)
  })
})
