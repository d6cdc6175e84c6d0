import {
  type AffineQuantization,
  type Checkpoint,
  type CheckpointWriter,
  type Manifest,
  openCheckpoint,
  openCheckpointWriter,
  type Progress,
  type SinkLocation,
  type SourceLocation,
  type SourceOptions,
} from '../../checkpoint/index.js'
import { type DeviceChoice, type Gpu, openGpu } from '../../gpu/index.js'
import { BlockContext, CHUNK_BYTES, inOrder, MATRIX_PARTS, resolveQuantization } from '../model/index.js'
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
  readonly #signal: AbortSignal | undefined
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
    this.#signal = signal
  }

  /** Writes one tensor of the destination. */
  async write(name: string, step: ConversionStep): Promise<void> {
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    if (waiting) {
      for (const bytes of waiting) await this.#writer.write(name, bytes)
    } else if (step.matrix) {
      await this.#writeMatrix(name, step, step.matrix)
    } else {
      const options = this.#signal ? { signal: this.#signal } : {}
      for await (const bytes of this.#checkpoint.stream(name, CHUNK_BYTES, options)) {
        await this.#writer.write(name, bytes)
        this.#onRead(bytes.byteLength)
      }
    }
  }

  /** Writes one part of a matrix and keeps those that are still to come. */
  async #writeMatrix(
    name: string,
    { declarations }: ConversionStep,
    { stored, quantization }: QuantizedMatrix,
  ): Promise<void> {
    const names = declarations.map((declaration) => declaration.name)
    const current = names.indexOf(name)
    for (const later of names.slice(current + 1)) this.#waiting.set(later, [])
    const context = new BlockContext(this.#gpu, this.#checkpoint, {
      signal: this.#signal,
      onRead: this.#onRead,
    })
    try {
      const reader = await stored.rows(context, quantization)
      const blocks = reader.blocks({ firstRow: 0, rows: declarations[0].shape[0] })
      const reads = blocks.map((block) => () => block.read())
      for await (const rows of inOrder(reads, BLOCKS_AHEAD)) {
        for (const [index, part] of MATRIX_PARTS.entries()) {
          const bytes = rows[part]
          if (bytes && index === current) await this.#writer.write(name, bytes)
          if (bytes && index > current) this.#waiting.get(names[index])?.push(bytes)
        }
      }
      await reader.finish()
    } finally {
      context.dispose()
    }
  }
}

function bytesOfSources(steps: readonly ConversionStep[]): number {
  return steps.flatMap(({ sources }) => sources).reduce((sum, { byteLength }) => sum + byteLength, 0)
}

/**
 * Converts a ChatGLM3 checkpoint to this project's quantized format: the matrices to 4 or 8 bits, the rest as it is.
 * A conversion that was interrupted continues when it is called again with the same settings; no file has its final
 * name before it is complete.
 *
 * @param source the official float16 checkpoint or an official quantized one; as for `loadModel`
 * @param destination a folder's path (Node) or a directory handle
 * @throws as `loadModel`; `checkpoint.not-quantizable`, `sink.failed`, `sink.resume-mismatch`, and the signal's reason
 */
export async function convertCheckpoint(
  source: SourceLocation,
  destination: SinkLocation,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  const { signal, onProgress } = options
  const quantization = resolveQuantization(options.quantization ?? {})
  const checkpoint = await openCheckpoint(source, options)
  const plan = planConversion(checkpoint, quantization)
  const stepOf = new Map<string, ConversionStep>()
  for (const step of plan.steps) for (const { name } of step.declarations) stepOf.set(name, step)
  const tensors = plan.steps.flatMap(({ declarations }) => declarations)
  const writer = await openCheckpointWriter(destination, tensors, {
    config: convertedConfig(checkpoint, quantization, plan) as Parameters<
      typeof openCheckpointWriter
    >[2]['config'],
    settings: { source: checkpoint.name, quantization },
    ...(options.restart && { restart: true }),
  })
  const sourceBytes = bytesOfSources(plan.steps)
  const gpu = await openGpu(options.device)
  try {
    const remaining = writer.shards.filter((shard) => !writer.isComplete(shard))
    const remainingSteps = new Set(
      remaining.flatMap((shard) => shard.tensors.map(({ name }) => stepOf.get(name)!)),
    )
    const totalBytes = bytesOfSources([...remainingSteps])
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
      if (await checkpoint.source.has(file, signal)) await writer.copyFile(checkpoint.source, file, signal)
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
