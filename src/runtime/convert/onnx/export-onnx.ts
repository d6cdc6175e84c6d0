import {
  dtypeBytes,
  externalDataLayout,
  jsonBytes,
  ONNX_FILE,
  openCheckpointWriter,
  openSink,
  type SinkLocation,
  type SourceLocation,
  withLock,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { checkOptions, number, type OptionShape, oneOf } from '../../../schema/index.js'
import { loadTokenizer, type ModelConfig, openModelCheckpoint, parseModelConfig } from '../../model/index.js'
import { ExportSteps } from '../rows/export-steps.js'
import { openRowEncoder } from '../rows/row-encoder.js'
import { type ExportResult, runConversion } from '../run-conversion.js'
import { WRITE_SHAPE, type WriteOptions } from '../write-options.js'
import { chatglmGraph, type GraphNumbers } from './chatglm-graph.js'
import { planExport } from './export-plan.js'
import { GENAI_CONFIG_FILE, genaiConfig } from './genai-config.js'

export interface ExportOnnxOptions extends WriteOptions {
  /** Bits of a weight; 16 are floats. Default 4. */
  readonly bits?: 4 | 8 | 16
  /** Weights of a row that share a scale. Default 32, which ONNX Runtime is fastest with. */
  readonly groupSize?: 32 | 64 | 128
  /**
   * What the graph computes with: float16 (default), or float32 where an adapter has no `shader-f16`, and for the WASM
   * provider, which computes in float32 anyway.
   */
  readonly activations?: 'float16' | 'float32'
}

const SHAPE: OptionShape<ExportOnnxOptions> = {
  ...WRITE_SHAPE,
  bits: number((bits) => [4, 8, 16].includes(bits), '4, 8 or 16'),
  groupSize: number((size) => [32, 64, 128].includes(size), '32, 64 or 128'),
  activations: oneOf(['float16', 'float32']),
}

function numbersOf({
  bits = 4,
  groupSize = 32,
  activations = 'float16',
}: Pick<ExportOnnxOptions, 'bits' | 'groupSize' | 'activations'>): GraphNumbers {
  return { activations, blocks: bits === 16 ? undefined : { bits, blockSize: groupSize } }
}

/** Bytes of all tensors of a model that is exported so. */
export function onnxBytes(
  config: ModelConfig,
  options: Pick<ExportOnnxOptions, 'bits' | 'groupSize' | 'activations'>,
): number {
  const { tensors } = chatglmGraph(config, numbersOf(options))
  return tensors.reduce((sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, dtypeBytes(dtype)), 0)
}

/** @throws `checkpoint.model-unsupported` for a shape that ONNX Runtime's attention does not take */
function checkShape({ headDim }: ModelConfig): void {
  if (headDim % 32 === 0) return
  throw new CheckpointError(
    'checkpoint.model-unsupported',
    `config.json: kv_channels is ${headDim}. ONNX Runtime rotates half of a head only where that is a multiple of 16.`,
  )
}

/**
 * Writes a ChatGLM3 checkpoint as an ONNX model: `model.onnx` with its tensors in files below 2 GB beside it, the
 * tokenizer's files, `config.json`, and `genai_config.json` for onnxruntime-genai. `loadModel` runs the folder with ONNX Runtime.
 * An export that was interrupted continues when it is called again with the same settings. Needs no GPU.
 *
 * @param source a checkpoint; as for `loadModel`
 * @param destination a folder's path (Node) or a directory handle
 * @throws as `convertCheckpoint`
 */
export async function exportOnnx(
  source: SourceLocation,
  destination: SinkLocation,
  options: ExportOnnxOptions = {},
): Promise<ExportResult> {
  checkOptions(SHAPE, options)
  const { signal, onProgress } = options
  const numbers = numbersOf(options)
  const checkpoint = await openModelCheckpoint(source, options)
  const config = parseModelConfig(checkpoint.config)
  checkShape(config)
  const tokenizer = await loadTokenizer(checkpoint, signal)
  const graph = chatglmGraph(config, numbers)
  const { quantization: _, quantization_bit: __, ...exported } = checkpoint.config as Record<string, unknown>
  const sink = await openSink(destination)
  const encoder = await openRowEncoder()
  try {
    const exporting = new ExportSteps(checkpoint, encoder)
    const steps = planExport(exporting, config, graph, numbers)
    return await withLock(sink, 'a conversion', async () => {
      const writer = await openCheckpointWriter(sink, graph.tensors, {
        layout: externalDataLayout(graph, 'chatglm3'),
        config: exported,
        settings: { source: checkpoint.name, format: 'onnx', ...numbers },
        ...(options.restart && { restart: true }),
      })
      const files = { [GENAI_CONFIG_FILE]: jsonBytes(genaiConfig(config, tokenizer, ONNX_FILE)) }
      const result = await runConversion(writer, {
        gpu: undefined,
        checkpoint,
        steps,
        signal,
        onProgress,
        files,
      })
      return { ...result, relativeError: exporting.relativeError }
    })
  } finally {
    await encoder.close()
  }
}
