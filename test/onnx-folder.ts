import {
  asUint16Array,
  type ByteSource,
  type FloatDType,
  readFile,
  readOnnxGraph,
  toFloat32,
} from '../src/checkpoint/index.js'
import { NODE_NAMES, TENSOR_NAMES } from '../src/runtime/convert/onnx/chatglm-graph.js'
import type { NBitsFormat } from '../src/runtime/convert/rows/encode-rows.js'
import { decodeNBits } from '../src/runtime/convert/rows/testing/decode-rows.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { modelTensors, type TensorSpec } from '../src/runtime/model/tensors.js'
import { ReferenceModel } from './reference-model.js'

const FLOATS: Readonly<Record<string, FloatDType>> = { float16: 'F16', float32: 'F32' }

/** The float64 model of the weights that an exported folder holds, dequantized to exactly what they stand for. */
export async function referenceOfOnnx(
  source: ByteSource,
  format: NBitsFormat | undefined,
): Promise<ReferenceModel> {
  const read = (file: string) => readFile(source, file, 2 ** 30)
  const config = parseModelConfig(JSON.parse(new TextDecoder().decode(await read('config.json'))))
  const graph = readOnnxGraph(await read('model.onnx'), 'model.onnx')
  const bytesOf = (name: string) => {
    const { file, offset, byteLength } = graph.tensors.get(name)!.place!
    return source.read(file, offset, offset + byteLength!)
  }
  const floats = async (name: string) =>
    toFloat32(await bytesOf(name), FLOATS[graph.tensors.get(name)!.element!])
  const weights = new Map<string, Float32Array>()
  const matrix = async ({ name, shape }: TensorSpec, node: string) => {
    if (!format) return weights.set(name, await floats(TENSOR_NAMES.floats(node)))
    const [weight, scales, zeros] = TENSOR_NAMES.blocks(node)
    const isHalf = graph.tensors.get(scales)!.element === 'float16'
    const stored = isHalf ? asUint16Array(await bytesOf(scales)) : await floats(scales)
    return weights.set(
      name,
      decodeNBits(await bytesOf(weight), stored, await bytesOf(zeros), shape[1], format),
    )
  }
  const vector = async ({ name }: TensorSpec, tensor: string) => weights.set(name, await floats(tensor))

  const tensors = modelTensors(config)
  weights.set(tensors.embedding.name, await floats(TENSOR_NAMES.embedding))
  for (const [index, layer] of tensors.layers.entries()) {
    const names = NODE_NAMES.layer(index)
    for (const role of ['qkv', 'dense', 'gateUp', 'down'] as const) await matrix(layer[role], names[role])
    for (const role of ['inputNorm', 'postAttentionNorm'] as const) {
      await vector(layer[role], TENSOR_NAMES.norm(names[role]))
    }
    if (layer.qkvBias) await vector(layer.qkvBias, TENSOR_NAMES.bias(names.qkv))
  }
  await vector(tensors.finalNorm, TENSOR_NAMES.norm(NODE_NAMES.finalNorm))
  await matrix(tensors.output, NODE_NAMES.output)
  return ReferenceModel.of(config, weights)
}
