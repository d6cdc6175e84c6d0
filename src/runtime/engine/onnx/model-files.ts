import {
  asUint16Array,
  type ByteSource,
  float16ToFloat32,
  ONNX_FILE,
  type OnnxGraph,
  type OnnxTensor,
  parseJson,
  readFile,
  readOnnxGraph,
  toFloat32,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { type ModelConfig, parseModelConfig } from '../../model/index.js'

/** A graph with its small constants; one of 6 billion weights beside it has some MB. */
const MAX_GRAPH_BYTES = 256 * 2 ** 20
const MAX_CONFIG_BYTES = 4 * 2 ** 20

/** How a graph rotates queries and keys by itself. */
export interface GraphRotation {
  /** Positions that its tables have. */
  readonly rows: number
  /** Whether neighbours are pairs, or elements half a rotation apart. */
  readonly interleaved: boolean
  /** cos and sin of one position, [pairs] each. */
  read(position: number): Promise<{ readonly cos: Float32Array; readonly sin: Float32Array }>
}

/** A folder with an ONNX model, opened. */
export interface OnnxModelFiles {
  readonly source: ByteSource
  readonly bytes: Uint8Array
  readonly config: ModelConfig
  /** Of activations, keys, values and logits. */
  readonly element: 'float16' | 'float32'
  /** Undefined where the graph is told positions. */
  readonly rotation: GraphRotation | undefined
  /** Whether values of the mask above 1 are weights of rows. */
  readonly weighsRows: boolean
  /** The files that hold tensors, with their sizes. */
  readonly data: ReadonlyMap<string, number>
}

/** Whether a source is a folder with an ONNX model, or such a file. */
export async function isOnnxModel(source: ByteSource, signal?: AbortSignal): Promise<boolean> {
  if (source.file !== undefined) return source.file.endsWith('.onnx')
  return source.has(ONNX_FILE, signal)
}

function unsupported(source: ByteSource, problem: string): CheckpointError {
  return new CheckpointError(
    'checkpoint.model-unsupported',
    `${source.name}: ${problem}. Export the checkpoint with 'chatglm convert --to onnx', or with the builder of onnxruntime-genai.`,
  )
}

/**
 * Opens an ONNX model that `exportOnnx` wrote, or the builder of onnxruntime-genai. Reads the graph and no tensor.
 * @throws `checkpoint.corrupt`, `checkpoint.model-unsupported`, `checkpoint.shard-missing`, and what the source throws
 */
export async function openOnnxModel(source: ByteSource, signal?: AbortSignal): Promise<OnnxModelFiles> {
  const file = source.file ?? ONNX_FILE
  const bytes = await readFile(source, file, MAX_GRAPH_BYTES, signal)
  const graph = readOnnxGraph(bytes, file)
  const past = graph.inputs.get('past_key_values.0.key')
  if (!graph.inputs.has('input_ids') || !graph.outputs.has('logits') || !past) {
    throw unsupported(source, `${file} has not the inputs and outputs of a language model with a cache`)
  }
  const { element } = past
  if (element !== 'float16' && element !== 'float32') {
    throw unsupported(source, `${file} keeps keys and values as ${element ?? 'an unknown type'}`)
  }
  const data = new Map<string, number>()
  for (const { place } of graph.tensors.values()) {
    if (!place || data.has(place.file)) continue
    if (!(await source.has(place.file, signal))) {
      throw new CheckpointError(
        'checkpoint.shard-missing',
        `${file} has tensors in ${place.file}, which is not in ${source.name}: download it.`,
        { details: { shard: place.file, tensors: [] } },
      )
    }
    data.set(place.file, await source.size(place.file, signal))
  }
  return {
    source,
    bytes,
    config: await readConfig(source, graph, signal),
    element,
    rotation: graph.inputs.has('position_ids') ? undefined : rotationOf(source, graph, file),
    weighsRows: graph.tensors.has('weight_unit'),
    data,
  }
}

/** The tables that attention is given. */
function rotationOf(source: ByteSource, graph: OnnxGraph, file: string): GraphRotation {
  const attention = graph.nodes.find(({ operator }) => operator === 'GroupQueryAttention')
  const [cos, sin] = [7, 8].map((input) => graph.tensors.get(attention?.inputs[input] ?? ''))
  if (attention?.attributes.get('do_rotary') !== 1 || !cos || !sin || cos.shape.length !== 2) {
    throw unsupported(
      source,
      `${file} neither takes positions nor rotates queries and keys in GroupQueryAttention`,
    )
  }
  return {
    rows: cos.shape[0],
    interleaved: attention.attributes.get('rotary_interleaved') === 1,
    read: async (position) => ({
      cos: await readRow(source, cos, position, file),
      sin: await readRow(source, sin, position, file),
    }),
  }
}

async function readRow(
  source: ByteSource,
  tensor: OnnxTensor,
  row: number,
  file: string,
): Promise<Float32Array> {
  const { element, shape, raw, place } = tensor
  if (element !== 'float16' && element !== 'float32')
    throw unsupported(source, `${file} has rotary tables of ${element}`)
  const rowBytes = shape[1] * (element === 'float16' ? 2 : 4)
  const [start, end] = [row * rowBytes, (row + 1) * rowBytes]
  const bytes = place
    ? await source.read(place.file, place.offset + start, place.offset + end)
    : raw?.subarray(start, end)
  if (bytes?.byteLength !== rowBytes) throw unsupported(source, `${file} has rotary tables that end early`)
  return element === 'float16' ? float16ToFloat32(asUint16Array(bytes)) : toFloat32(bytes, 'F32').slice()
}

/** The shape of the model: from `config.json`, or from what onnxruntime-genai is told. */
async function readConfig(source: ByteSource, graph: OnnxGraph, signal?: AbortSignal): Promise<ModelConfig> {
  const read = async (file: string) => parseJson(await readFile(source, file, MAX_CONFIG_BYTES, signal), file)
  if (await source.has('config.json', signal)) return parseModelConfig(await read('config.json'))
  if (!(await source.has('genai_config.json', signal))) {
    throw unsupported(source, 'there is neither config.json nor genai_config.json beside the graph')
  }
  return parseModelConfig(officialConfig(await read('genai_config.json'), graph))
}

/** What `config.json` would say of a model that onnxruntime-genai's builder wrote. */
function officialConfig(settings: unknown, graph: OnnxGraph): object {
  const { model } = Object(settings) as Record<string, unknown>
  const { type, decoder, vocab_size, context_length } = Object(model) as Record<string, unknown>
  const shape = Object(decoder) as Record<string, unknown>
  const hidden = shape.hidden_size
  const attended = Number(shape.num_attention_heads) * Number(shape.head_size)
  const norm = graph.nodes.find(({ operator }) => operator === 'SimplifiedLayerNormalization')
  // The last product of a layer goes from `ffn` to `hidden`; the other such product comes from the heads.
  const ffn = graph.nodes
    .map((node) => productSizes(node, graph))
    .find((sizes) => sizes && sizes.outFeatures === hidden && sizes.inFeatures !== attended)
  return {
    model_type: type,
    num_layers: shape.num_hidden_layers,
    hidden_size: hidden,
    ffn_hidden_size: ffn?.inFeatures ?? hidden,
    kv_channels: shape.head_size,
    num_attention_heads: shape.num_attention_heads,
    multi_query_attention: true,
    multi_query_group_num: shape.num_key_value_heads,
    padded_vocab_size: vocab_size,
    seq_length: context_length,
    layernorm_epsilon: norm?.attributes.get('epsilon') ?? 1e-5,
    rmsnorm: true,
    post_layer_norm: true,
    add_bias_linear: false,
    add_qkv_bias: true,
    apply_residual_connection_post_layernorm: false,
  }
}

/** The sizes of a matrix that is multiplied with; undefined for other nodes. */
function productSizes(
  { operator, inputs, attributes }: OnnxGraph['nodes'][number],
  graph: OnnxGraph,
): { inFeatures: number | undefined; outFeatures: number | undefined } | undefined {
  if (operator === 'MatMulNBits') {
    return { inFeatures: attributes.get('K'), outFeatures: attributes.get('N') }
  }
  const shape = operator === 'MatMul' ? graph.tensors.get(inputs[1])?.shape : undefined
  return shape && { inFeatures: shape[0], outFeatures: shape[1] }
}
