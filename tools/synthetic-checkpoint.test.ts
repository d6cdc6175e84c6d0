import { describe, expect, it } from 'vitest'
import { MemoryFiles, openCheckpoint } from '../src/checkpoint/index.js'
import { loadModel, Tokenizer } from '../src/index.js'
import { CHATGLM3_6B } from './chatglm-config.js'
import { standInTokenizer } from './stand-in-tokenizer.js'
import {
  officialShards,
  type SyntheticOptions,
  writeSyntheticSafetensors,
  writeSyntheticTorch,
} from './synthetic-checkpoint.js'

const SMALL = {
  num_layers: 2,
  hidden_size: 64,
  ffn_hidden_size: 96,
  num_attention_heads: 4,
  kv_channels: 16,
  multi_query_group_num: 2,
  padded_vocab_size: 640,
  seq_length: 128,
}

const OPTIONS: SyntheticOptions = {
  seed: 1,
  tokenizer: { file: 'tokenizer.model', bytes: standInTokenizer(SMALL.padded_vocab_size) },
}

/** Every tensor's bytes, by name. */
async function contents(files: MemoryFiles): Promise<Map<string, Uint8Array>> {
  const checkpoint = await openCheckpoint(files)
  const bytes = new Map<string, Uint8Array>()
  for (const name of checkpoint.tensors.keys()) bytes.set(name, await checkpoint.read(name))
  return bytes
}

async function safetensors(options: Partial<SyntheticOptions> = {}): Promise<MemoryFiles> {
  const files = new MemoryFiles()
  await writeSyntheticSafetensors(files, SMALL, { ...OPTIONS, ...options })
  return files
}

describe('the files of chatglm3-6b', async () => {
  const shards = await officialShards(CHATGLM3_6B)
  const layer = (index: number) => `transformer.encoder.layers.${index}.`
  const namesIn = (shard: number) => shards[shard - 1].tensors.map(({ name }) => name)

  it('have the official names and sizes', () => {
    expect(shards.map(({ file, byteLength }) => [file, byteLength])).toEqual([
      ['model-00001-of-00007.safetensors', 1827770432],
      ['model-00002-of-00007.safetensors', 1968287744],
      ['model-00003-of-00007.safetensors', 1927402496],
      ['model-00004-of-00007.safetensors', 1815213056],
      ['model-00005-of-00007.safetensors', 1968287744],
      ['model-00006-of-00007.safetensors', 1927402496],
      ['model-00007-of-00007.safetensors', 1052804096],
    ])
  })

  it('hold the 200 official tensors, all float16', () => {
    const tensors = shards.flatMap((shard) => shard.tensors)
    expect(tensors).toHaveLength(200)
    expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set(['F16']))
    expect(tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(12_487_168_064)
  })

  it('divide layers between them where the official ones do', () => {
    const inLayer = (shard: number, index: number) =>
      namesIn(shard).flatMap((name) =>
        name.startsWith(layer(index)) ? [name.slice(layer(index).length)] : [],
      )
    const attention = [
      'input_layernorm.weight',
      'self_attention.query_key_value.weight',
      'self_attention.query_key_value.bias',
      'self_attention.dense.weight',
      'post_attention_layernorm.weight',
    ]
    const mlp = ['mlp.dense_h_to_4h.weight', 'mlp.dense_4h_to_h.weight']
    for (const [shard, index] of [
      [1, 3],
      [4, 17],
    ]) {
      expect(inLayer(shard, index)).toEqual(attention)
      expect(inLayer(shard + 1, index)).toEqual(mlp)
    }
    for (const [shard, index] of [
      [2, 8],
      [5, 22],
    ]) {
      expect(inLayer(shard, index)).toEqual(attention.slice(0, 1))
      expect(inLayer(shard + 1, index)).toEqual([...attention.slice(1), ...mlp])
    }
    for (const [shard, index] of [
      [3, 12],
      [6, 26],
    ]) {
      expect(inLayer(shard, index)).toEqual([...attention, mlp[0]])
      expect(inLayer(shard + 1, index)).toEqual([mlp[1]])
    }
  })

  it('begin with the embedding and the rotary buffer, and end with the output layer', () => {
    expect(namesIn(1).slice(0, 2)).toEqual([
      'transformer.embedding.word_embeddings.weight',
      'transformer.rotary_pos_emb.inv_freq',
    ])
    expect(namesIn(7).slice(-2)).toEqual([
      'transformer.encoder.final_layernorm.weight',
      'transformer.output_layer.weight',
    ])
  })
})

describe('the stand-in tokenizer', () => {
  it('has as many tokens as the official one for a model of the official size', () => {
    const tokenizer = Tokenizer.fromSentencePiece(standInTokenizer(CHATGLM3_6B.padded_vocab_size))
    expect(tokenizer.vocabSize).toBe(64_798)
    expect(tokenizer.special.assistant).toBe(64_796)
    const text = 'Hello, 世界！\n𝄞'
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  })
})

describe('a synthetic checkpoint', () => {
  it('is the same for the same seed, however it is divided, and another for another', async () => {
    const whole = await contents(await safetensors())
    const divided = await safetensors({ shardBytes: 100_000 })
    expect((await divided.list()).filter((file) => file.endsWith('.safetensors')).length).toBeGreaterThan(2)
    expect(await contents(divided)).toEqual(whole)
    const other = await contents(await safetensors({ seed: 2 }))
    const differing = [...whole.keys()].filter((name) => {
      return !whole.get(name)!.every((byte, i) => byte === other.get(name)![i])
    })
    expect(differing).toHaveLength(whole.size - 1)
    expect(differing).not.toContain('transformer.rotary_pos_emb.inv_freq')
  })

  it('has the same tensors in torch files', async () => {
    const files = new MemoryFiles()
    await writeSyntheticTorch(files, SMALL, { ...OPTIONS, shardBytes: 100_000 })
    expect(await files.has('pytorch_model-00001-of-00003.bin')).toBe(true)
    expect(await contents(files)).toEqual(await contents(await safetensors()))
  })

  it('is continued where a run was interrupted', async () => {
    const files = new MemoryFiles()
    const options = { ...OPTIONS, shardBytes: 100_000 }
    const interrupt = (doneBytes: number, totalBytes: number) => {
      if (doneBytes > totalBytes / 2) throw new Error('interrupted')
    }
    const run = writeSyntheticSafetensors(files, SMALL, { ...options, onProgress: interrupt })
    await expect(run).rejects.toThrow('interrupted')
    let written = 0
    const count = (_doneBytes: number, totalBytes: number) => {
      written = totalBytes
    }
    await writeSyntheticSafetensors(files, SMALL, { ...options, onProgress: count })
    const all = await contents(await safetensors())
    expect(await contents(files)).toEqual(all)
    expect(written).toBeLessThan([...all.values()].reduce((sum, { byteLength }) => sum + byteLength, 0))
  })

  it('computes logits of ordinary size', async () => {
    const model = await loadModel(await safetensors())
    try {
      const ids = model.tokenizer.encodePrompt('Hello, 一丁七')
      expect(model.tokenizer.decode(ids.slice(2))).toBe('Hello, 一丁七')
      const logits = await model.logits(ids)
      const deviation = Math.sqrt(logits.reduce((sum, value) => sum + value ** 2, 0) / logits.length)
      expect(deviation).toBeGreaterThan(1)
      expect(deviation).toBeLessThan(4)
    } finally {
      model.dispose()
    }
  })
})
