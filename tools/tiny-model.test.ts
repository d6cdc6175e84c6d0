import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { MemoryFiles, openCheckpoint, readManifest } from '../src/checkpoint/index.js'
import { modelTensors, parseModelConfig } from '../src/runtime/index.js'
import { storedTensors, tinyConfig, tinyTokenizer, writeTinyPrefix } from './tiny-model.js'
import { tinyPieces } from './tiny-tokenizer.js'

const FOLDER = 'models/tiny'

describe('models/tiny is what its program makes', () => {
  const pieces = tinyPieces()

  it('the tokenizer, byte for byte', async () => {
    expect(tinyTokenizer(pieces)).toEqual(new Uint8Array(await readFile(`${FOLDER}/tokenizer.model`)))
  })

  it('the configuration', async () => {
    const written = JSON.parse(await readFile(`${FOLDER}/config.json`, 'utf8')) as unknown
    expect(written).toEqual(tinyConfig(pieces))
  })

  it('the first matrix of attention outputs, byte for byte', async () => {
    const checkpoint = await openCheckpoint(FOLDER)
    const config = parseModelConfig(checkpoint.config)
    const stored = storedTensors(modelTensors(config).layers[0].dense, config)
    expect(stored).toHaveLength(3)
    for (const { name, bytes } of stored) expect(bytes).toEqual(new Uint8Array(await checkpoint.read(name)))
  })

  it('the prefix, byte for byte', async () => {
    const files = new MemoryFiles()
    await writeTinyPrefix(files, 'prefix.bin')
    const made = await files.read('prefix.bin', 0, await files.size('prefix.bin'))
    expect(made).toEqual(new Uint8Array(await readFile(`${FOLDER}/prefixes/random/pytorch_model.bin`)))
  })

  it('all files that a loader reads are in its manifest', async () => {
    const manifest = await readManifest((await openCheckpoint(FOLDER)).source)
    expect([...manifest!.keys()].sort()).toEqual([
      'config.json',
      'model.safetensors',
      'model.safetensors.index.json',
      'tokenizer.model',
    ])
  })
})
