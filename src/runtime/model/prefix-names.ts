import { ADAPTER_CONFIG_FILE, type Checkpoint } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { readAdapterConfig } from './adapter-config.js'
import { PREFIX_ENCODER } from './names/hf.js'

/** How the name of an encoder's embedding ends, whatever a trainer put before it (`module.`, `base_model.model.`). */
const EMBEDDING = 'prefix_encoder.embedding.weight'
/** Names of the embedding where the encoder was saved by itself. */
const ALONE = ['embedding.weight', 'weight']
/** The name under which PEFT saves the encoder's output; the order within a row is the same. */
const PEFT_NAME = 'prompt_embeddings'
/** Names of tensors in a message. */
const MAX_SHOWN = 5

/** The tensors of a prefix. */
export interface PrefixNames {
  /** The encoder's embedding, or the output of an encoder. */
  readonly embedding: string
  /** What the names of the two layers behind the embedding begin with, where there are such: `...trans.`. */
  readonly projection: string | undefined
}

/**
 * Finds a prefix in a whole model, a trainer's output, a PEFT adapter, or by itself.
 * @throws `checkpoint.prefix-invalid` where there is none, or several
 */
export function findEncoder({ tensors, name }: Checkpoint): PrefixNames {
  const names = [...tensors.keys()]
  const found = names.filter((one) => one === EMBEDDING || one.endsWith(`.${EMBEDDING}`))
  const [embedding = ALONE.find((one) => tensors.has(one) && (one !== 'weight' || tensors.size === 1))] =
    found
  if (found.length > 1) {
    throw new CheckpointError(
      'checkpoint.prefix-invalid',
      `${name} holds ${found.length} prefix encoders: ${found.slice(0, MAX_SHOWN).join(', ')}. Save one of them alone.`,
    )
  }
  if (embedding !== undefined) {
    const projection = `${embedding.slice(0, -'embedding.weight'.length)}trans.`
    return { embedding, projection: tensors.has(`${projection}0.weight`) ? projection : undefined }
  }
  if (tensors.has(PEFT_NAME)) return { embedding: PEFT_NAME, projection: undefined }
  const isLora = names.some((one) => /\.lora_[AB]\./.test(one))
  const shown = `${names.slice(0, MAX_SHOWN).join(', ')}${names.length > MAX_SHOWN ? ', …' : ''}`
  throw new CheckpointError(
    'checkpoint.prefix-invalid',
    `${name} holds no P-Tuning v2 prefix: expected a tensor ${PREFIX_ENCODER}embedding.weight, found ${names.length} ` +
      `tensors (${shown}). ${
        isLora
          ? 'It is a LoRA adapter, which a model in ONNX cannot add: merge it into the model, and export that.'
          : "Give the trainer's output (pytorch_model.bin or a folder with it), not a base model."
      }`,
  )
}

/** What PEFT calls the methods of adapters that are not read, and what to do about them. */
const OTHER_METHODS: Readonly<Record<string, string>> = {
  LORA: 'a LoRA adapter, which a model in ONNX cannot add: merge it into the model, and export that',
  PROMPT_TUNING: 'prompt tuning, whose rows are inputs of the first layer, not keys and values of all',
  P_TUNING: 'the first P-Tuning, whose rows are inputs of the first layer, not keys and values of all',
}

/**
 * Checks that an adapter of PEFT is one of prefix tuning, where its `adapter_config.json` lies beside it.
 * @throws `checkpoint.prefix-invalid` for other methods
 */
export async function checkAdapter(checkpoint: Checkpoint, signal?: AbortSignal): Promise<void> {
  const method = (await readAdapterConfig(checkpoint, signal))?.peft_type
  if (method === undefined || method === 'PREFIX_TUNING') return
  const what =
    (typeof method === 'string' && Object.hasOwn(OTHER_METHODS, method) && OTHER_METHODS[method]) ||
    'not read'
  throw new CheckpointError(
    'checkpoint.prefix-invalid',
    `${checkpoint.name}: ${ADAPTER_CONFIG_FILE} says peft_type ${JSON.stringify(method).slice(0, 60)}: ${what}. PREFIX_TUNING is needed.`,
  )
}
