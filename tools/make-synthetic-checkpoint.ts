/**
 * Makes a checkpoint that has everything of chatglm3-6b but its training: the same names, shapes, dtypes and files,
 * random weights.
 *
 *     npx vite build --mode programs
 *     node build/make-synthetic-checkpoint.js FOLDER [--tokenizer FILE] [--layers N ...]
 */

import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { isMainThread, parentPort } from 'node:worker_threads'
import { Presets, SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ChatGLMError } from '../src/errors/index.js'
import { CHATGLM3_6B, type ChatGLMShape } from './chatglm-config.js'
import { serveChunks, startThreads } from './normal-chunks.js'
import { standInTokenizer } from './stand-in-tokenizer.js'
import { writeSyntheticSafetensors, writeSyntheticTorch } from './synthetic-checkpoint.js'

interface Arguments {
  readonly seed: number
  readonly format: 'safetensors' | 'torch'
  readonly tokenizer?: string
  readonly restart?: true
  readonly layers: number
  readonly hidden: number
  readonly ffn: number
  readonly heads: number
  readonly headDim: number
  readonly groups: number
  readonly vocabulary: number
  readonly seqLength: number
}

function shapeOf(given: Arguments): ChatGLMShape {
  return {
    num_layers: given.layers,
    hidden_size: given.hidden,
    ffn_hidden_size: given.ffn,
    num_attention_heads: given.heads,
    kv_channels: given.headDim,
    multi_query_group_num: given.groups,
    padded_vocab_size: given.vocabulary,
    seq_length: given.seqLength,
  }
}

async function make(folder: string, given: Arguments): Promise<void> {
  const shape = shapeOf(given)
  const tokenizer =
    given.tokenizer === undefined
      ? { file: 'tokenizer.model', bytes: standInTokenizer(shape.padded_vocab_size) }
      : { file: basename(given.tokenizer), bytes: await readFile(given.tokenizer) }
  const maker = startThreads(new URL(import.meta.url), availableParallelism())
  const bar = new SingleBar(
    { format: '{bar} {percentage}%  {value} of {total} MB  {eta_formatted} left', stream: process.stderr },
    Presets.shades_classic,
  )
  const begin = performance.now()
  let megabytes = 0
  bar.start(1, 0)
  try {
    const write = given.format === 'torch' ? writeSyntheticTorch : writeSyntheticSafetensors
    await write(folder, shape, {
      seed: given.seed,
      tokenizer,
      maker,
      restart: given.restart ?? false,
      onProgress: (doneBytes, totalBytes) => {
        megabytes = Math.round(doneBytes / 1e6)
        bar.setTotal(Math.round(totalBytes / 1e6))
        bar.update(megabytes)
      },
    })
  } finally {
    bar.stop()
    await maker.close()
  }
  const seconds = (performance.now() - begin) / 1000
  process.stderr.write(`${folder}: ${megabytes} MB in ${seconds.toFixed(1)} s, `)
  process.stderr.write(`${(megabytes / seconds).toFixed(0)} MB/s\n`)
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is no whole number.')
  return Number(text)
}

async function main(): Promise<void> {
  const sizes = CHATGLM3_6B
  await new Command('make-synthetic-checkpoint')
    .description('Writes a float16 checkpoint of random weights with the shapes and files of chatglm3-6b.')
    .argument('<folder>', 'where to write it; an interrupted run is continued')
    .option('--seed <n>', 'another seed gives other weights', wholeNumber, 0)
    .option('--tokenizer <file>', 'tokenizer.model to copy (default: a stand-in of single characters)')
    .addOption(
      new Option('--format <format>', 'kind of the weight files')
        .choices(['safetensors', 'torch'])
        .default('safetensors'),
    )
    .option('--restart', 'replace what a run with other settings wrote')
    .option('--layers <n>', 'transformer layers', wholeNumber, sizes.num_layers)
    .option('--hidden <n>', 'numbers of a hidden state', wholeNumber, sizes.hidden_size)
    .option('--ffn <n>', 'inner numbers of a feed-forward network', wholeNumber, sizes.ffn_hidden_size)
    .option('--heads <n>', 'attention heads', wholeNumber, sizes.num_attention_heads)
    .option('--head-dim <n>', 'numbers of a head', wholeNumber, sizes.kv_channels)
    .option('--groups <n>', 'key/value heads', wholeNumber, sizes.multi_query_group_num)
    .option('--vocabulary <n>', 'rows of embedding and output layer', wholeNumber, sizes.padded_vocab_size)
    .option('--seq-length <n>', 'longest context', wholeNumber, sizes.seq_length)
    .action(make)
    .parseAsync()
}

if (isMainThread) {
  await main().catch((error: unknown) => {
    // These say what to do; of another error the place matters.
    if (!(error instanceof ChatGLMError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
} else if (parentPort) serveChunks(parentPort)
