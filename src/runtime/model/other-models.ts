import { CheckpointError } from '../../errors/index.js'

type Json = Readonly<Record<string, unknown>>

/** Rows of GLM-4's embedding; its network is ChatGLM3's. */
const GLM4_VOCABULARY = 151_552

/** What a `config.json` of a relative of ChatGLM3 describes; undefined where it may be ChatGLM3. */
function relative(json: Json): string | undefined {
  const type = json.model_type
  if (typeof type === 'string' && /^glm/.test(type))
    return `a model of the type "${type.slice(0, 40)}", as GLM-4 is`
  if (type !== 'chatglm') return undefined
  if (json.padded_vocab_size === GLM4_VOCABULARY)
    return 'GLM-4: its vocabulary has 151552 tokens of another tokenizer'
  if (json.inner_hidden_size !== undefined || json.position_encoding_2d !== undefined) {
    return 'the first ChatGLM-6B, whose network is another one'
  }
  return undefined
}

/**
 * Refuses relatives of ChatGLM3 by their names, before a field of theirs is missed.
 * @throws `checkpoint.model-unsupported`
 */
export function refuseRelatives(json: Json): void {
  const found = relative(json)
  if (found === undefined) return
  throw new CheckpointError(
    'checkpoint.model-unsupported',
    `config.json describes ${found}. This project runs ChatGLM3: chatglm3-6b, -base and -32k.`,
  )
}

/**
 * What to know about ChatGLM2-6B, which has ChatGLM3's network and vocabulary: it runs. Undefined for others.
 */
export function noteOnChatGlm2(config: unknown): string | undefined {
  const { _name_or_path: name } = config as Json
  if (typeof name !== 'string' || !/chatglm2/i.test(name)) return undefined
  return (
    'config.json names ChatGLM2-6B. It has the network of ChatGLM3 and runs, but it was not trained on roles, tools and ' +
    'system messages: give it raw text, "[Round 1]\\n\\n问：…\\n\\n答：", instead of a chat.'
  )
}

/**
 * Refuses weights of other tools, which `config.json` names.
 * @throws `checkpoint.quantizer-unsupported`
 */
export function refuseQuantizers(json: Json): void {
  const { quantization_config: quantization } = json
  const method =
    typeof quantization === 'object' && quantization !== null
      ? (quantization as Json).quant_method
      : undefined
  if (typeof method !== 'string') return
  throw quantizerUnsupported(
    `config.json says that the weights were quantized by ${JSON.stringify(method.slice(0, 40))}`,
  )
}

/** Endings of tensors by which other tools' weights are known, with the tools. */
const FOREIGN_PARTS = [
  ['.qweight', 'GPTQ or AWQ'],
  ['.weight.absmax', 'bitsandbytes'],
  ['.SCB', 'bitsandbytes'],
] as const

/**
 * Refuses a matrix of other tools' weights, where `config.json` says nothing of them.
 * @param base the matrix's name, without `.weight`
 * @throws `checkpoint.quantizer-unsupported`
 */
export function refuseForeignMatrix(tensors: ReadonlyMap<string, unknown>, base: string): void {
  for (const [ending, tool] of FOREIGN_PARTS) {
    if (tensors.has(base + ending)) throw quantizerUnsupported(`Tensor ${base}${ending} is of ${tool}`)
  }
}

function quantizerUnsupported(what: string): CheckpointError {
  return new CheckpointError(
    'checkpoint.quantizer-unsupported',
    `${what}, whose form is not read. What is read: this project's and MLX's 4 and 8 bits, the official INT4 and INT8, and ` +
      'GGUF. Convert the float16 checkpoint with "chatglm convert".',
  )
}
