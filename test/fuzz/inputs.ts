/** Small but complete inputs of the readers, which the fuzzer cuts off and changes. */
import { readFileSync } from 'node:fs'
import { newConversation } from '../../demo/src/conversation/defaults.js'
import { exportConversations } from '../../demo/src/conversation/exchange.js'
import type { Conversation } from '../../demo/src/conversation/types.js'
import { OnnxGraphWriter } from '../../src/checkpoint/formats/onnx/graph-writer.js'
import { MICROSOFT } from '../../src/checkpoint/formats/onnx/schema.js'
import { floats, ggufFile, json, safetensorsFile, utf8 } from '../../src/checkpoint/testing.js'
import {
  chatglmSentencePieceModel,
  writeSentencePieceModel,
} from '../../src/tokenizer/sentencepiece-writer.js'
import { SPECIAL_TOKENS } from '../../src/tokenizer/special-tokens.js'
import { tokenizerJsonFromSentencePiece } from '../../src/tokenizer/tokenizer-json.js'

export const calls = [
  String.raw`tool_call(a=r'\', b=R"\"x", c='\', d=u"\x41", e='''\''', f=r"""\""")`,
  String.raw`tool_call(a='\u4e2d\101\n', b=[1, -2.5e3, (True, None,)], c={'k': {1: 'v'}}, d=0x_1f) # end`,
  'tool_call(x="one\\\ntwo",\r\ny=\'中文😀\', )',
].map(utf8)

export const replies = [
  "get\n tool_call(a=r'\\')",
  `I look.<|assistant|> track\n \`\`\`python\ntool_call(a=r'\\', b="\\"", c='''\\''')\n\`\`\``,
  'interpreter\n ```python\nprint(1)\n```',
].map(utf8)

const torchFile = (name: string) => new Uint8Array(readFileSync(`test/fixtures/checkpoint/${name}`))

export const archives = ['state_dict.bin', 'dtypes.bin', 'shared.bin', 'zip64.bin', 'evil.bin'].map(torchFile)

export const pickles = archives.map(pickleOf)

/** The pickle is the first entry of an archive: from its PROTO to its STOP before the next signature. */
function pickleOf(archive: Uint8Array): Uint8Array {
  const isProto = (byte: number, i: number) => byte === 0x80 && [2, 4].includes(archive[i + 1]!)
  const start = archive.findIndex(isProto)
  const stop = archive.findIndex((byte, i) => i > start && byte === 0x2e && archive[i + 1] === 0x50)
  return archive.slice(start, stop < 0 ? undefined : stop + 1)
}

export const safetensors = safetensorsFile([
  { name: 'a', dtype: 'F32', shape: [2, 2], bytes: floats(1, 2, 3, 4) },
  { name: 'b', dtype: 'U8', shape: [3], bytes: Uint8Array.of(1, 2, 3) },
])

const smallModel = chatglmSentencePieceModel(['ab', 'a', 'b', '▁'])

/** A small model of one block, with all that its metadata says of ChatGLM3. */
export const gguf = ggufFile(
  {
    'general.architecture': { string: 'chatglm' },
    'chatglm.block_count': { uint32: 1 },
    'chatglm.embedding_length': { uint32: 32 },
    'chatglm.feed_forward_length': { uint32: 32 },
    'chatglm.context_length': { uint32: 64 },
    'chatglm.attention.head_count': { uint32: 1 },
    'chatglm.attention.head_count_kv': { uint32: 1 },
    'chatglm.attention.layer_norm_rms_epsilon': { float32: 1e-5 },
    'chatglm.rope.dimension_count': { uint32: 16 },
    'chatglm.rope.freq_base': { float32: 10_000 },
    'tokenizer.ggml.model': { string: 'llama' },
    'tokenizer.ggml.add_bos_token': { bool: false },
    'tokenizer.ggml.tokens': { strings: [...smallModel.pieces.map(({ piece }) => piece), ...SPECIAL_TOKENS] },
    'tokenizer.ggml.scores': { float32s: new Float32Array(smallModel.pieces.length + 9).map((_, i) => -i) },
    'tokenizer.ggml.token_type': {
      int32s: Int32Array.from([...smallModel.pieces.map(({ type }) => type), ...SPECIAL_TOKENS.map(() => 3)]),
    },
  },
  [
    { name: 'token_embd.weight', dtype: 'Q4_0', shape: [2, 32], bytes: new Uint8Array(36) },
    { name: 'blk.0.attn_norm.weight', dtype: 'F32', shape: [2], bytes: floats(1, 2) },
  ],
)

export const index = json({
  metadata: { total_size: 19 },
  weight_map: { a: 'x.safetensors', b: 'x.safetensors' },
})

export const manifest = json({ version: 1, files: { a: { size: 1, sha256: '0'.repeat(64) } } })

export const config = json({
  model_type: 'chatglm',
  num_layers: 2,
  hidden_size: 64,
  ffn_hidden_size: 96,
  num_attention_heads: 4,
  multi_query_attention: true,
  multi_query_group_num: 2,
  kv_channels: 16,
  padded_vocab_size: 512,
  seq_length: 1024,
  rope_ratio: 1,
  layernorm_epsilon: 1e-5,
  add_qkv_bias: true,
  rmsnorm: true,
  post_layer_norm: true,
  add_bias_linear: false,
  apply_residual_connection_post_layernorm: false,
  quantization: { bits: 4, group_size: 64 },
  quantization_bit: 0,
})

export const sentencePiece = writeSentencePieceModel(smallModel)

export const tokenizerJson = json(tokenizerJsonFromSentencePiece(smallModel))

const RECORDS = [
  { prompt: 'a', response: 'b' },
  {
    tools: [{ name: 'get', parameters: {} }],
    conversations: [
      { role: 'system', content: 's' },
      { role: 'user', content: 'q' },
      { role: 'tool', name: 'get', parameters: { x: [1, 'y'] }, observation: { z: null }, loss: true },
      { role: 'assistant', content: 'a\n中文', loss: false },
    ],
  },
  { content: 'c', summary: 's' },
  {
    NLDocumentation: 'd',
    Instances: [
      {
        input: 'i',
        output: 'o',
        intermediate_steps: [[['t', '{"a": 1}', 'w Action: x'], 'seen']],
        'Final Thought': 'f',
      },
    ],
  },
]

export const jsonLines = utf8(RECORDS.map((record) => JSON.stringify(record)).join('\n'))

export const jsonList = utf8(JSON.stringify(RECORDS, null, 1))

export const csv = utf8(
  'prompt,response,conversations\n"a ""b""",c,\n,,"[{""role"": ""user"", ""content"": ""q""}]"\n',
)

export const settings = [
  'PRE_SEQ_LEN: 128\nLR: 2e-2\nMAX_SOURCE_LEN: 64\nMAX_TARGET_LEN: 64\nDEV_BATCH_SIZE: 1\n',
  `data_config: &d {train_file: train.json, num_proc: 16}
max_input_length: 256
training_args:
  # see the official file
  output_dir: ./output
  max_steps: 3000
  learning_rate: 5e-5
  lr_scheduler_type: "cosine"
  evaluation_strategy: steps
peft_config:
  peft_type: PREFIX_TUNING
  num_virtual_tokens: 128
  prefix_projection: !!bool false
`,
].map(utf8)

export const markdown = [
  `# Title\n\nA **bold _and_ italic** [link](https://example.com "t") and \`code\`, me@example.com, ~~gone~~.\n
> quoted\n> - list\n>   1. inner\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n\`\`\`python\nprint(1)\n\`\`\`\n\n[ref]: http://example.com\n`,
  '- [x] done\n- *a*\n\n    code\n\n***\n<b>html</b> &amp; \\* www.example.com <http://a.b>\n\nTitle\n===\n',
].map(utf8)

export const jsonTexts = [
  '{"a": [1, 22.0, -0.0, 1e16, 1234567890123456789, 1e999], "10": null, "2": {"__proto__": true}}',
  ' [ "\\u4e2d\\n\\ud83d\\ude00", "", [[[]]], {}, false, 1.5e-7 ] ',
].map(utf8)

export const questions = [
  '{"messages": [{"role": "system", "content": "s", "tools": [{"name": "get"}]}, {"role": "user", "content": "q"}]}',
  '{"conversations": [{"role": "user", "content": "q"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get", "arguments": "{\\"x\\": 22.0}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "{}"}]}',
  '{"prompt": "q", "history": [["a", "b"]], "system": "s", "tools": "[{\\"name\\": \\"get\\"}]", "id": 1234567890123456789}',
  '{"instruction": "i", "input": "q", "output": "o"}',
].map(utf8)

export const texts = [
  Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x0a, 0xe4, 0xbd, 0xa0, 0x0d, 0x0a, 0xf0, 0x9f, 0x98, 0x80),
  Uint8Array.of(0x61, 0x0a, 0xc4, 0xe3, 0xba, 0xc3, 0x0a, 0x84, 0x31, 0xa4, 0x37, 0x62),
]

export const grammars = [
  'root ::= item ("," item){0,3} # a list\nitem ::= "a" | [b-d^]+ | "\\x41" [^\\n"]*\n',
  'root ::= (a | b)? "中" root?\na ::= "x"*\nb ::= ("y" "z"){2}\n',
].map(utf8)

export const schemas = [
  {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 4, pattern: '^[a-z]+(_x|y{2,3})?$' },
      size: { type: 'integer', minimum: -10, exclusiveMaximum: 200 },
      share: { type: 'number', minimum: 0, maximum: 1.5 },
      kind: { enum: ['a', 1, null, true] },
      parts: { type: 'array', items: { $ref: '#/$defs/part' }, minItems: 1, maxItems: 3 },
    },
    required: ['name', 'kind'],
    additionalProperties: false,
    $defs: { part: { anyOf: [{ const: 'x' }, { type: ['boolean', 'null'] }] } },
  },
  {
    oneOf: [
      { type: 'string', format: 'date' },
      { type: 'array', prefixItems: [{ type: 'null' }] },
    ],
  },
].map(json)

export const requests = [
  {
    model: 'a',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'q' }] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', type: 'function', function: { name: 'get', arguments: '{"x": 1}' } }],
      },
      { role: 'tool', tool_call_id: '1', content: '{}' },
    ],
    tools: [{ type: 'function', function: { name: 'get', parameters: { type: 'object' } } }],
    tool_choice: 'auto',
    max_tokens: 5,
    stop: ['a'],
    stream: true,
    logit_bias: { 5: -100 },
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } },
  },
  { model: 'a', prompt: ['q', 'r'], n: 2, temperature: 0, logprobs: 3, echo: true },
].map(json)

const turns: Conversation['turns'] = [
  { id: 'q', parent: null, content: { kind: 'question', text: 'q' } },
  {
    id: 'a',
    parent: 'q',
    content: {
      kind: 'answer',
      segments: [
        { type: 'text', text: 'a' },
        { type: 'tool-call', name: 'get', parameters: { x: 1234567890123456789n } },
      ],
      messages: [{ role: 'assistant', metadata: 'get', content: 'a' }],
      end: 'stop',
      prefix: { name: null, strength: 1 },
    },
  },
  { id: 'o', parent: 'a', content: { kind: 'observation', tool: 'get', text: '{}', by: 'hand' } },
]

export const conversations = utf8(exportConversations([{ ...newConversation(), turns, current: 'o' }]))

export const itemRecord = json({
  version: 1,
  name: 'a',
  kind: 'model',
  source: 's',
  addedAt: 1,
  files: [{ path: 'x', size: 1, sha256: '0'.repeat(64), done: true }],
})

export const adapterConfig = json({
  peft_type: 'LORA',
  r: 8,
  lora_alpha: 16,
  target_modules: ['query_key_value', 'dense'],
  rank_pattern: { dense: 4 },
  alpha_pattern: { dense: 8 },
  layers_to_transform: [0, 1],
  use_rslora: false,
  base_model_name_or_path: 'THUDM/chatglm3-6b',
  bias: 'none',
  fan_in_fan_out: false,
})

function smallOnnxGraph(): Uint8Array {
  const graph = new OnnxGraphWriter()
  graph.input('x', 'float16', ['rows', 8])
  graph.output('y', 'float16', ['rows', 4])
  graph.external('weight', 'U8', [4, 1, 16])
  graph.integers('axes', [-1, 2 ** 40])
  graph.number('half', 0.5)
  graph.node('MatMulNBits', ['x', 'weight', ''], ['y'], { K: 8, axis: -1, scale: { float: 0.25 } }, MICROSOFT)
  return graph.encode('small', () => ({ file: 'model.onnx_data', offset: 0, byteLength: 64 }))
}

export const onnx = smallOnnxGraph()
