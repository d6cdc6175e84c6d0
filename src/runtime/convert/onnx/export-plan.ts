import type { FloatDType, OnnxGraphWriter, TensorDeclaration } from '../../../checkpoint/index.js'
import { ropeTable } from '../../../kernels/index.js'
import { type ModelConfig, modelTensors, type TensorSpec } from '../../model/index.js'
import type { ConversionStep } from '../conversion-plan.js'
import type { RowForm } from '../rows/encode-rows.js'
import { type ExportSteps, floatBytes } from '../rows/export-steps.js'
import { type GraphNumbers, NODE_NAMES, rotaryRows, TENSOR_NAMES } from './chatglm-graph.js'

/**
 * How each tensor of a graph is made of those of a checkpoint.
 * @throws as `storedMatrix`
 */
export function planExport(
  steps: ExportSteps,
  config: ModelConfig,
  graph: OnnxGraphWriter,
  { blocks, activations }: GraphNumbers,
): ConversionStep[] {
  const declared = new Map(graph.tensors.map((tensor) => [tensor.name, tensor]))
  const scales = activations === 'float16' ? 'F16' : 'F32'
  const floats = (spec: TensorSpec, name: string): ConversionStep => {
    const declaration = declared.get(name)!
    return steps.matrix(spec, { kind: 'floats', dtype: declaration.dtype as 'F16' | 'F32' }, [declaration])
  }
  const matrix = (spec: TensorSpec, name: string): ConversionStep => {
    if (!blocks) return floats(spec, TENSOR_NAMES.floats(name))
    const form: RowForm = { kind: 'nbits', ...blocks, scales }
    return steps.matrix(
      spec,
      form,
      TENSOR_NAMES.blocks(name).map((part) => declared.get(part)!),
    )
  }
  const vector = (spec: TensorSpec, name: string) => steps.vector(spec, declared.get(name)!)

  const tensors = modelTensors(config)
  const layers = tensors.layers.flatMap((layer, index) => {
    const names = NODE_NAMES.layer(index)
    const bias = layer.qkvBias ? [vector(layer.qkvBias, TENSOR_NAMES.bias(names.qkv))] : []
    return [
      vector(layer.inputNorm, TENSOR_NAMES.norm(names.inputNorm)),
      matrix(layer.qkv, names.qkv),
      ...bias,
      matrix(layer.dense, names.dense),
      vector(layer.postAttentionNorm, TENSOR_NAMES.norm(names.postAttentionNorm)),
      matrix(layer.gateUp, names.gateUp),
      matrix(layer.down, names.down),
    ]
  })
  return [
    floats(tensors.embedding, TENSOR_NAMES.embedding),
    ...rotaryTables(config, [declared.get(TENSOR_NAMES.cos)!, declared.get(TENSOR_NAMES.sin)!]),
    ...layers,
    vector(tensors.finalNorm, TENSOR_NAMES.norm(NODE_NAMES.finalNorm)),
    matrix(tensors.output, NODE_NAMES.output),
  ]
}

/** cos and sin of every row of the cache, [rows, headDim / 4] each. */
function rotaryTables(config: ModelConfig, declarations: readonly TensorDeclaration[]): ConversionStep[] {
  return declarations.map((declaration, part) => ({
    sources: [],
    declarations: [declaration],
    async *parts() {
      const table = ropeTable(rotaryRows(config), config.headDim, config.ropeBase)
      const half = table.filter((_, i) => i % 2 === part)
      yield [floatBytes(half, declaration.dtype as FloatDType)]
    },
  }))
}
