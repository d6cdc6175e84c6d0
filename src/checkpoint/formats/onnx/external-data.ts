import { tensorBytes } from '../dtype.js'
import { type CheckpointLayout, groupTensors, ofElements, type ShardPlan } from '../shards.js'
import type { TensorDeclaration } from '../tensor-file.js'
import type { ExternalPlace, OnnxGraphWriter } from './graph-writer.js'

/** The file of an ONNX graph, as all tools name it. */
export const ONNX_FILE = 'model.onnx'

/** Tensors begin at pages, so that they can be mapped into memory: what ONNX recommends for external data. */
const ALIGNMENT = 4096

/**
 * The tensors of an ONNX graph in files beside it: `model.onnx_data`, `model.onnx_data_1` and so on, the names that
 * transformers.js looks for.
 */
export function externalDataLayout(graph: OnnxGraphWriter, graphName: string): CheckpointLayout {
  return {
    plan: (tensors, shardBytes) =>
      groupTensors(tensors.map(ofElements), shardBytes).map((group, index) =>
        planFile(group, index === 0 ? `${ONNX_FILE}_data` : `${ONNX_FILE}_data_${index}`),
      ),
    index: {
      path: ONNX_FILE,
      content(plans) {
        const places = placesOf(plans)
        return graph.encode(graphName, ({ name }) => places.get(name)!)
      },
    },
  }
}

function planFile(group: readonly TensorDeclaration[], file: string): ShardPlan {
  let end = 0
  const offsets: number[] = []
  const tensors = group.map((tensor) => {
    const byteLength = tensorBytes(tensor.dtype, tensor.shape) ?? Number.POSITIVE_INFINITY
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT
    offsets.push(offset)
    end = offset + byteLength
    return { ...tensor, byteLength }
  })
  const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0)
  return { shard: { file, tensors, byteLength }, header: new Uint8Array(0), offsets, fileBytes: end }
}

function placesOf(plans: readonly ShardPlan[]): Map<string, ExternalPlace> {
  const places = new Map<string, ExternalPlace>()
  for (const { shard, offsets } of plans) {
    shard.tensors.forEach(({ name, byteLength }, i) => {
      places.set(name, { file: shard.file, offset: offsets[i], byteLength })
    })
  }
  return places
}
