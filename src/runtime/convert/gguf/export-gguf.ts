import {
  ggufLayout,
  openCheckpointWriter,
  openSink,
  type SinkLocation,
  type SourceLocation,
  type StoredDeclaration,
  withLock,
} from '../../../checkpoint/index.js'
import { checkOptions, number, type OptionShape, text } from '../../../schema/index.js'
import {
  GGUF_NAMES,
  HF_NAMES,
  loadSentencePieceModel,
  type ModelConfig,
  modelTensors,
  namesIn,
  openModelCheckpoint,
  parseModelConfig,
  tensorList,
} from '../../model/index.js'
import type { ConversionStep } from '../conversion-plan.js'
import type { RowForm } from '../rows/encode-rows.js'
import { ExportSteps } from '../rows/export-steps.js'
import { openRowEncoder } from '../rows/row-encoder.js'
import { type ExportResult, runConversion } from '../run-conversion.js'
import { WRITE_SHAPE, type WriteOptions } from '../write-options.js'
import { type GgufType, ggufMetadata } from './gguf-metadata.js'

export interface ExportGgufOptions extends WriteOptions {
  /** Bits of a weight: 4 are Q4_0, 8 are Q8_0, 16 are F16. Default 4. */
  readonly bits?: 4 | 8 | 16
  /** The file's name in the destination. Default: `model.gguf`. */
  readonly file?: string
}

const SHAPE: OptionShape<ExportGgufOptions> = {
  ...WRITE_SHAPE,
  bits: number((bits) => [4, 8, 16].includes(bits), '4, 8 or 16'),
  file: text,
}

const TYPES = { 4: 'Q4_0', 8: 'Q8_0', 16: 'F16' } as const satisfies Record<number, GgufType>
/** Elements of a block of Q4_0 and Q8_0. */
const BLOCK = 32

/**
 * Writes a ChatGLM3 checkpoint as a GGUF file for llama.cpp: matrices as Q4_0, Q8_0 or F16, norms and biases in F32, and the
 * tokenizer in the metadata. Matrices whose rows are no whole blocks stay F16. Needs no GPU.
 *
 * @param source a checkpoint; as for `loadModel`
 * @param destination the folder of the file: a path (Node) or a directory handle
 * @throws as `convertCheckpoint`, and `checkpoint.tokenizer-missing` where there is no `tokenizer.model`
 */
export async function exportGguf(
  source: SourceLocation,
  destination: SinkLocation,
  options: ExportGgufOptions = {},
): Promise<ExportResult> {
  checkOptions(SHAPE, options)
  const { bits = 4, file = 'model.gguf', signal, onProgress } = options
  const type = TYPES[bits]
  const checkpoint = await openModelCheckpoint(source, options)
  const config = parseModelConfig(checkpoint.config)
  const { pieces } = await loadSentencePieceModel(checkpoint, signal)
  const sink = await openSink(destination)
  const encoder = await openRowEncoder()
  try {
    const exporting = new ExportSteps(checkpoint, encoder)
    const steps = planTensors(exporting, config, type)
    return await withLock(sink, 'a conversion', async () => {
      const writer = await openCheckpointWriter(
        sink,
        steps.flatMap(({ declarations }) => declarations),
        {
          layout: ggufLayout(file, ggufMetadata(config, pieces, type)),
          config: undefined,
          settings: { source: checkpoint.name, format: 'gguf', file },
          ...(options.restart && { restart: true }),
        },
      )
      const result = await runConversion(writer, {
        gpu: undefined,
        checkpoint,
        steps,
        signal,
        onProgress,
        hasTokenizer: true,
      })
      return { ...result, relativeError: exporting.relativeError }
    })
  } finally {
    await encoder.close()
  }
}

/** How each tensor of the file is made, in the order of the computation. */
function planTensors(steps: ExportSteps, config: ModelConfig, type: GgufType): ConversionStep[] {
  const names = namesIn(HF_NAMES, GGUF_NAMES, config.layers)
  return tensorList(modelTensors(config)).map((spec) => {
    const declare = (dtype: GgufType | 'F32'): StoredDeclaration => ({
      name: names.get(spec.name)!,
      dtype,
      shape: spec.shape,
    })
    if (spec.shape.length === 1) return steps.vector(spec, declare('F32'))
    const stored = spec.shape[1] % BLOCK === 0 ? type : 'F16'
    const form: RowForm = stored === 'F16' ? { kind: 'floats', dtype: 'F16' } : { kind: 'ggml', type: stored }
    return steps.matrix(spec, form, [declare(stored)])
  })
}
