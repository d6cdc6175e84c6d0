import {
  type AffineQuantization,
  asUint16Array,
  type Checkpoint,
  type CheckpointWriter,
  type Manifest,
  openCheckpoint,
  openCheckpointWriter,
  type Progress,
  repackChatGLMScales,
  repackChatGLMWeight,
  type SinkLocation,
  type SourceLocation,
  type SourceOptions,
} from '../../checkpoint/index.js'
import { type DeviceChoice, type Gpu, openGpu } from '../../gpu/index.js'
import {
  CHUNK_BYTES,
  inOrder,
  type QuantizedRows,
  Quantizer,
  resolveQuantization,
  rowBlocks,
  storedTensors,
} from '../model/index.js'
import {
  type ConversionStep,
  convertedConfig,
  planConversion,
  type QuantizedMatrix,
} from './conversion-plan.js'

export interface ConvertOptions extends SourceOptions {
  /** Default: 4 bits in groups of 64. */
  readonly quantization?: Partial<AffineQuantization>
  /** Begins anew where the destination holds an unfinished conversion with other settings. */
  readonly restart?: boolean
  /** Default: the fastest adapter there is. */
  readonly device?: DeviceChoice
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export interface ConvertResult {
  /** Bytes of the source's tensors. */
  readonly sourceBytes: number
  /** Bytes of the files written, the tokenizer's included. */
  readonly bytes: number
  /** Every file written, with its size and SHA-256. */
  readonly files: Manifest
}

/** Blocks read, quantized and read back ahead of the one being written. */
const BLOCKS_AHEAD = 4
/** Files beside the weights that a model needs or must come with. */
const COPIED_FILES = [
  'tokenizer.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'MODEL_LICENSE',
  'LICENSE',
]

/** Gives out the bytes of tensors in the order in which a writer asks for them. */
class Converter {
  readonly #gpu: Gpu
  readonly #checkpoint: Checkpoint
  readonly #writer: CheckpointWriter
  readonly #onRead: (bytes: number) => void
  readonly #readOptions: { signal?: AbortSignal }
  /** Scales and biases, which come with their matrix but may have to be written later. */
  readonly #waiting = new Map<string, Uint8Array[]>()

  constructor(
    gpu: Gpu,
    checkpoint: Checkpoint,
    writer: CheckpointWriter,
    onRead: (bytes: number) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#gpu = gpu
    this.#checkpoint = checkpoint
    this.#writer = writer
    this.#onRead = onRead
    this.#readOptions = signal ? { signal } : {}
  }

  /** Writes one tensor of the destination. */
  async write(name: string, step: ConversionStep): Promise<void> {
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    if (waiting) {
      for (const bytes of waiting) await this.#writer.write(name, bytes)
    } else if (step.kind === 'copy') {
      for await (const bytes of this.#checkpoint.stream(name, CHUNK_BYTES, this.#readOptions)) {
        await this.#writer.write(name, bytes)
        this.#onRead(bytes.byteLength)
      }
    } else {
      await this.#writeMatrix(name, step)
    }
  }

  /** Writes one part of a matrix and keeps those that are still to come. */
  async #writeMatrix(name: string, step: QuantizedMatrix): Promise<void> {
    const names = step.declarations.map((declaration) => declaration.name)
    const part = names.indexOf(name)
    for (const later of names.slice(part + 1)) this.#waiting.set(later, [])
    for await (const rows of this.#rowsOf(step)) {
      const parts = [rows.weight, rows.scales, rows.biases]
      await this.#writer.write(name, parts[part])
      for (let later = part + 1; later < parts.length; later++) {
        this.#waiting.get(names[later])?.push(parts[later])
      }
    }
  }

  /** The rows of a matrix in its new form, block by block. */
  async *#rowsOf({ stored, quantization }: QuantizedMatrix): AsyncGenerator<QuantizedRows> {
    const { weight } = stored
    const rowLength = weight.byteLength / weight.shape[0]
    const blocks = rowBlocks(weight.shape[0], rowLength)
    const read = async (first: number, rows: number, name = weight.name, bytesPerRow = rowLength) => {
      const end = (first + rows) * bytesPerRow
      const bytes = await this.#checkpoint.readRange(name, first * bytesPerRow, end, this.#readOptions)
      this.#onRead(bytes.byteLength)
      return bytes
    }
    if (stored.kind === 'official') {
      const { bits, weightScale, inFeatures } = stored
      const repack = async (first: number, rows: number): Promise<QuantizedRows> => {
        const packed = await read(first, rows)
        const scale = asUint16Array(await read(first, rows, weightScale.name, 2))
        const groups = repackChatGLMScales(bits, scale, inFeatures / quantization.groupSize, first)
        const bytesOf = (halves: Uint16Array) =>
          new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength)
        return {
          weight: repackChatGLMWeight(bits, packed),
          scales: bytesOf(groups.scales),
          biases: bytesOf(groups.biases),
        }
      }
      yield* inOrder(
        blocks.map(
          ({ firstRow, rows }) =>
            () =>
              repack(firstRow, rows),
        ),
        BLOCKS_AHEAD,
      )
      return
    }
    const quantizer = new Quantizer(this.#gpu, quantization)
    try {
      const matrix = await quantizer.matrix(weight)
      const quantize = async (first: number, rows: number) => matrix.quantize(await read(first, rows), rows)
      yield* inOrder(
        blocks.map(
          ({ firstRow, rows }) =>
            () =>
              quantize(firstRow, rows),
        ),
        BLOCKS_AHEAD,
      )
      await matrix.finish()
    } finally {
      quantizer.dispose()
    }
  }
}

/**
 * Converts a ChatGLM3 checkpoint to this project's quantized format: the matrices to 4 or 8 bits, the rest as it is.
 * A conversion that was interrupted continues when it is called again with the same settings; no file has its final
 * name before it is complete.
 *
 * @param source the official float16 checkpoint or an official quantized one; as for `loadModel`
 * @param destination a folder's path (Node) or a directory handle
 * @throws as `loadModel`; QuantizationError, SinkError, ResumeMismatchError, and the signal's reason
 */
export async function convertCheckpoint(
  source: SourceLocation,
  destination: SinkLocation,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  const { signal, onProgress } = options
  const quantization = resolveQuantization(options.quantization ?? {})
  const checkpoint = await openCheckpoint(source, options)
  const steps = planConversion(checkpoint, quantization)
  const stepOf = new Map<string, ConversionStep>()
  for (const step of steps) {
    for (const { name } of step.kind === 'copy' ? [step.tensor] : step.declarations) stepOf.set(name, step)
  }
  const tensors = steps.flatMap((step) => (step.kind === 'copy' ? [step.tensor] : step.declarations))
  const writer = await openCheckpointWriter(destination, tensors, {
    config: convertedConfig(checkpoint, quantization, steps) as Parameters<
      typeof openCheckpointWriter
    >[2]['config'],
    settings: { source: checkpoint.name, quantization },
    ...(options.restart && { restart: true }),
  })
  const sourceTensors = steps.flatMap((step) =>
    step.kind === 'copy' ? [step.tensor] : storedTensors(step.stored),
  )
  const sourceBytes = sourceTensors.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const gpu = await openGpu(options.device)
  try {
    const remaining = writer.shards.filter((shard) => !writer.isComplete(shard))
    const remainingSteps = new Set(
      remaining.flatMap((shard) => shard.tensors.map(({ name }) => stepOf.get(name)!)),
    )
    const totalBytes = [...remainingSteps]
      .flatMap((step) => (step.kind === 'copy' ? [step.tensor] : storedTensors(step.stored)))
      .reduce((sum, { byteLength }) => sum + byteLength, 0)
    let doneBytes = sourceBytes - totalBytes
    const onRead = (bytes: number) => {
      doneBytes += bytes
      onProgress?.({ stage: 'convert', doneBytes: Math.min(doneBytes, sourceBytes), totalBytes: sourceBytes })
    }
    const converter = new Converter(gpu, checkpoint, writer, onRead, signal)
    for (const shard of remaining) {
      for (const { name } of shard.tensors) {
        signal?.throwIfAborted()
        await converter.write(name, stepOf.get(name)!)
      }
    }
    for (const file of COPIED_FILES) {
      if (await checkpoint.source.has(file)) await writer.copyFile(checkpoint.source, file, signal)
    }
    const files = await writer.finish()
    const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0)
    return { sourceBytes, bytes, files }
  } catch (error) {
    await writer.abort()
    throw error
  } finally {
    gpu.dispose()
  }
}
