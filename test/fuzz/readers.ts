import { marked } from 'marked'
import { GrowingMarkdown, readMarkdown } from '../../demo/src/markdown/read.js'
import { readOnnxGraph } from '../../src/checkpoint/formats/onnx/read-graph.js'
import { readStateDict } from '../../src/checkpoint/formats/torch-pickle.js'
import {
  MemoryFiles,
  openCheckpoint,
  parseQuantizationConfig,
  readManifest,
} from '../../src/checkpoint/index.js'
import { fromAdvertiseGen, fromToolAlpaca } from '../../src/data/convert.js'
import { parseRecord } from '../../src/data/parse-record.js'
import { readRecords } from '../../src/data/read-records.js'
import { hasCode } from '../../src/errors/index.js'
import { parseModelSettings, parseSettings } from '../../src/finetune/settings-file.js'
import { readAdapterConfig } from '../../src/runtime/model/adapter-config.js'
import { parseModelConfig } from '../../src/runtime/model/config.js'
import { modelOfGguf } from '../../src/runtime/model/gguf-model.js'
import { loadTokenizer } from '../../src/runtime/model/load-tokenizer.js'
import { parseLoraConfig } from '../../src/runtime/model/lora/lora-config.js'
import { pythonJson } from '../../src/tokenizer/python-json.js'
import { parseToolCall } from '../../src/tokenizer/python-literal.js'
import { parseReply } from '../../src/tokenizer/reply-parser.js'
import { readSentencePieceModel } from '../../src/tokenizer/sentencepiece.js'
import { Tokenizer } from '../../src/tokenizer/tokenizer.js'
import { tokenizerJsonFromSentencePiece } from '../../src/tokenizer/tokenizer-json.js'
import * as inputs from './inputs.js'
import { LANGUAGE_READERS } from './language-readers.js'
import { JSON_WORDS, type Reader, reader, text } from './reader.js'

/** Opens a checkpoint of one file, reads all its tensors. */
const openOf =
  (path: string, others: Readonly<Record<string, Uint8Array>> = {}) =>
  async (bytes: Uint8Array) => {
    const checkpoint = await openCheckpoint(new MemoryFiles(Object.entries({ ...others, [path]: bytes })))
    for (const name of checkpoint.tensors.keys()) await checkpoint.read(name)
    return checkpoint
  }

/** Reads records of a data file, and makes of them what training and conversion make. */
const recordsOf = (file: string) => async (bytes: Uint8Array) => {
  const convert = [parseRecord, fromAdvertiseGen, fromToolAlpaca]
  for await (const record of readRecords(new File([bytes as BlobPart], file))) {
    for (const read of convert) {
      try {
        pythonJson(read(record))
      } catch (error) {
        if (!hasCode(error, 'input.dataset')) throw error
      }
    }
  }
}

/** Every hand-written reader, and those of others that are given what strangers wrote. */
export const READERS: readonly Reader[] = [
  reader(
    'python-literal',
    inputs.calls,
    ['\\', "'''", '"', 'r', '(', ')', '[', '{', '\r\n', '\\u', '\\N', '#', '1_0', '-'],
    (bytes) => parseToolCall(text(bytes)),
    'input.python-literal',
  ),
  reader('reply', inputs.replies, ['<|assistant|>', '\n', '```', 'tool_call(', "'", '\\'], (bytes) =>
    parseReply(text(bytes), { hasTools: true }),
  ),
  reader(
    'pickle',
    inputs.pickles,
    [
      '(',
      ')',
      ']',
      '}',
      'h\0',
      'q\0',
      'R',
      'Q',
      'b',
      'u',
      't',
      '\x8a\xff',
      '\x8c\x01a',
      '\x93',
      '\x94',
      '0',
      '.',
    ],
    (bytes) => readStateDict(bytes, 'pickle'),
    'checkpoint',
    'source',
  ),
  reader(
    'torch-archive',
    inputs.archives,
    ['PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06', '\xff\xff\xff\xff', '\0\0\0\0'],
    openOf('pytorch_model.bin'),
    'checkpoint',
    'source',
  ),
  reader(
    'safetensors',
    [inputs.safetensors],
    [...JSON_WORDS, '"dtype"', '"shape"', '"data_offsets"', '"__metadata__"'],
    openOf('model.safetensors'),
    'checkpoint',
    'source',
  ),
  reader(
    'gguf',
    [inputs.gguf],
    ['GGUF', 'general.alignment', '\x09\0\0\0', '\xff\xff\xff\xff\xff\xff\xff\x7f', '\x0c\0\0\0'],
    async (bytes) => {
      const checkpoint = await openOf('model.gguf')(bytes)
      const model = modelOfGguf(checkpoint, checkpoint.metadata!)
      parseModelConfig(model.config)
      await loadTokenizer(model)
    },
    'checkpoint',
    'source',
  ),
  reader(
    'onnx',
    [inputs.onnx],
    [
      '\x0a',
      '\x3a\x02',
      '\x12\x01',
      '../',
      '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01',
      '\x80\x80\x80\x80\x08',
    ],
    (bytes) => readOnnxGraph(bytes, 'model.onnx'),
    'checkpoint',
  ),
  reader(
    'adapter-config',
    [inputs.adapterConfig],
    [...JSON_WORDS, '"LORA"', '"all-linear"', '"alpha_pattern"', '2147483648'],
    async (bytes) => {
      const files = new MemoryFiles([
        ['adapter_config.json', bytes],
        ['adapter_model.safetensors', inputs.safetensors],
      ])
      const config = await readAdapterConfig(await openCheckpoint(files))
      if (config) parseLoraConfig('adapter', config).scale('q_proj', 8)
    },
    'checkpoint',
    'source',
  ),
  reader(
    'weight-index',
    [inputs.index],
    [...JSON_WORDS, '"weight_map"', '../', '/'],
    openOf('model.safetensors.index.json', { 'x.safetensors': inputs.safetensors }),
    'checkpoint',
    'source',
  ),
  reader(
    'manifest',
    [inputs.manifest],
    [...JSON_WORDS, '../', '"files"'],
    (bytes) => readManifest(new MemoryFiles([['manifest.json', bytes]])),
    'checkpoint',
    'source',
  ),
  reader(
    'config',
    [inputs.config],
    [...JSON_WORDS, '2147483647', '0', '-1', 'true'],
    async (bytes) => {
      const { config } = await openOf('config.json', { 'model.safetensors': inputs.safetensors })(bytes)
      parseQuantizationConfig(config)
      parseModelConfig(config)
    },
    'checkpoint',
    'source',
  ),
  reader(
    'sentencepiece',
    [inputs.sentencePiece],
    ['\x0a', '\x12', '\x1a', '\x80\x80\x80\x80\x08', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01'],
    (bytes) => {
      const model = readSentencePieceModel(bytes)
      tokenizerJsonFromSentencePiece(model, 'tokenizer.model')
      return Tokenizer.fromSentencePiece(bytes).encode('ab a')
    },
    'checkpoint.tokenizer-invalid',
  ),
  reader(
    'tokenizer.json',
    [inputs.tokenizerJson],
    [...JSON_WORDS, '"model"', '"vocab"', '"merges"', '"added_tokens"'],
    (bytes) => Tokenizer.fromJson(text(bytes)).encode('ab a'),
    'checkpoint.tokenizer-invalid',
  ),
  reader(
    'jsonl',
    [inputs.jsonLines],
    [...JSON_WORDS, '\n'],
    recordsOf('data.jsonl'),
    'input.dataset',
    'input.encoding',
    'checkpoint',
    'source',
  ),
  reader(
    'json-list',
    [inputs.jsonList],
    [...JSON_WORDS, '\n'],
    recordsOf('data.json'),
    'input.dataset',
    'input.encoding',
    'checkpoint',
    'source',
  ),
  reader(
    'csv',
    [inputs.csv],
    ['"', '""', ',', '\n', '\r\n', '\ufeff'],
    recordsOf('data.csv'),
    'input.dataset',
    'input.encoding',
    'checkpoint',
    'source',
  ),
  reader(
    'settings',
    inputs.settings,
    [
      '\n',
      ': ',
      '- ',
      '&a ',
      '*a',
      '<<: ',
      '!!binary ',
      '? ',
      '|',
      '>',
      '{',
      '[',
      '\t',
      '"',
      '%',
      '---\n',
      'toString',
    ],
    async (bytes) => {
      const results = await Promise.allSettled([
        parseSettings(text(bytes), 'settings.yaml'),
        parseModelSettings(text(bytes), 'settings.yaml'),
      ])
      for (const result of results) {
        if (result.status === 'rejected' && !hasCode(result.reason, 'option.settings-file'))
          throw result.reason
      }
    },
    'option.settings-file',
  ),
  reader(
    'markdown',
    inputs.markdown,
    [
      '> ',
      '* ',
      '- ',
      '1. ',
      '    ',
      '\n\n',
      '`',
      '```',
      '**',
      '_',
      '[',
      '](',
      '|',
      '<',
      '~~',
      'http://',
      '@',
      '&#',
      '\\',
    ],
    (bytes) => {
      const source = text(bytes)
      const growing = new GrowingMarkdown()
      for (const part of [0.3, 0.6, 1]) growing.read(source.slice(0, source.length * part))
      return marked.parser(readMarkdown(source))
    },
  ),
  ...LANGUAGE_READERS,
]
