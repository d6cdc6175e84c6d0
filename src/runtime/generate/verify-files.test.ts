/** Files that are not what the manifest says are named: on demand before a load, and beside it where that costs nothing. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MemoryFiles } from '../../checkpoint/index.js'
import { loadModel } from './load-model.js'
import { findDamage, verifyFiles } from './verify-files.js'

const NAMES = [
  'config.json',
  'manifest.json',
  'model.safetensors',
  'model.safetensors.index.json',
  'tokenizer.model',
]

/** The bundled model, with a bit of a file flipped. */
function model(flipped?: { readonly file: string; readonly bit: number }): MemoryFiles {
  const files = new Map(
    NAMES.map((name) => [name, new Uint8Array(readFileSync(`models/tiny/${name}`))] as const),
  )
  if (flipped) files.get(flipped.file)![flipped.bit >> 3] ^= 1 << (flipped.bit & 7)
  return new MemoryFiles(files, 'a copy')
}

describe('a model with a manifest', () => {
  it('that is whole is verified with progress to the end', async () => {
    const shares: number[] = []
    await verifyFiles(model(), {
      onProgress: (progress) => {
        if (progress.stage === 'verifying') shares.push(progress.doneBytes / progress.totalBytes)
      },
    })
    expect(shares.at(-1)).toBe(1)
    expect(await findDamage(model())).toBeUndefined()
  })

  it.each([
    ['model.safetensors', 8 * 1_000_003 + 5],
    ['tokenizer.model', 8 * 1000],
    ['config.json', 3],
  ])('whose %s has a flipped bit is refused on demand, before anything else is read', async (file, bit) => {
    const problem = {
      code: 'checkpoint.manifest-mismatch',
      message: expect.stringContaining(`${file} has the SHA-256`),
    }
    await expect(loadModel(model({ file, bit }), { verify: true })).rejects.toMatchObject(problem)
    expect(await findDamage(model({ file, bit }))).toContain(
      `a copy differs from its manifest.json: ${file} `,
    )
  })

  it('is not read again over a network unless that is asked for', async () => {
    const distant = model({ file: 'config.json', bit: 3 })
    expect(await findDamage(Object.assign(distant, { distant: true }))).toBeUndefined()
  })
})

it('a model without a manifest cannot be verified on demand, and says so', async () => {
  const none = new MemoryFiles([['config.json', new Uint8Array(2)]], 'a copy')
  await expect(loadModel(none, { verify: true })).rejects.toMatchObject({
    code: 'checkpoint.manifest-missing',
  })
  expect(await findDamage(none)).toBeUndefined()
})
