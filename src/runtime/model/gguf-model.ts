import type { Checkpoint, GgufMetadata } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { GGUF_NAMES } from './names/gguf.js'
import { HF_NAMES } from './names/hf.js'
import { namesIn } from './names/tensor-names.js'

/** llama.cpp's name of ChatGLM3's network, which is that of ChatGLM2 and GLM-4 as well. */
const ARCHITECTURE = 'chatglm'

/**
 * A GGUF file as the official checkpoint of the same model would be: its tensors have the official names, and a
 * `config.json` is made of its metadata.
 * @throws `checkpoint.model-unsupported` where the file is of another model, or does not describe one
 */
export function modelOfGguf(checkpoint: Checkpoint, metadata: GgufMetadata): Checkpoint {
  const architecture = metadata.get('general.architecture')
  if (architecture !== ARCHITECTURE) {
    fail(checkpoint, `is a model of the architecture ${JSON.stringify(architecture)}, not "${ARCHITECTURE}"`)
  }
  const number = (key: string): number => {
    const value = metadata.get(`${ARCHITECTURE}.${key}`)
    if (typeof value !== 'number') fail(checkpoint, `has no number ${ARCHITECTURE}.${key} in its metadata`)
    return value
  }
  const layers = number('block_count')
  const hidden = number('embedding_length')
  const heads = number('attention.head_count')
  const names = namesIn(GGUF_NAMES, HF_NAMES, Math.min(layers, checkpoint.tensors.size))
  return checkpoint.renamed(names, {
    model_type: 'chatglm',
    architectures: ['ChatGLMModel'],
    num_layers: layers,
    hidden_size: hidden,
    ffn_hidden_size: number('feed_forward_length'),
    num_attention_heads: heads,
    multi_query_attention: true,
    multi_query_group_num: number('attention.head_count_kv'),
    // Half of a head is rotated.
    kv_channels: 2 * number('rope.dimension_count'),
    padded_vocab_size: checkpoint.requireTensor(GGUF_NAMES.embedding).shape[0],
    seq_length: number('context_length'),
    rope_ratio: decimal(number('rope.freq_base') / 10_000),
    layernorm_epsilon: decimal(number('attention.layer_norm_rms_epsilon')),
    rmsnorm: true,
    post_layer_norm: true,
    add_bias_linear: false,
    add_qkv_bias: checkpoint.tensors.has(GGUF_NAMES.layer(0).qkvBias),
    apply_residual_connection_post_layernorm: false,
    tie_word_embeddings: false,
    eos_token_id: 2,
    pad_token_id: 0,
  })
}

/** What to call a GGUF file in messages. */
export function ggufName(checkpoint: Checkpoint): string {
  const [tensor] = checkpoint.tensors.values()
  return tensor?.file ?? checkpoint.name
}

/** The number that was meant by one that went through float32: 1e-5, not 9.999999747378752e-6. */
function decimal(value: number): number {
  return Number(value.toPrecision(7))
}

function fail(checkpoint: Checkpoint, problem: string): never {
  throw new CheckpointError(
    'checkpoint.model-unsupported',
    `${ggufName(checkpoint)} ${problem}. A GGUF file of ChatGLM3, as llama.cpp's convert_hf_to_gguf.py writes it, is needed.`,
  )
}
