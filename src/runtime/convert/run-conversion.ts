import type { Checkpoint, CheckpointWriter, Manifest, Progress } from '../../checkpoint/index.js'
import type { Gpu } from '../../gpu/index.js'
import { BlockContext, tokenizerModelOfGguf } from '../model/index.js'
import type { ConversionStep } from './conversion-plan.js'

export interface ConvertResult {
  /** Bytes of the source's tensors. */
  readonly sourceBytes: number
  /** Bytes of the files written, the tokenizer's included. */
  readonly bytes: number
  /** Every file written, with its size and SHA-256. */
  readonly files: Manifest
}

/** What a checkpoint became in the format of another tool. */
export interface ExportResult extends ConvertResult {
  /**
   * How far the matrices that this run wrote are from those of the source: the root mean square of the differences, relative
   * to that of the elements. 0 where nothing was lost.
   */
  readonly relativeError: number
}

/** What is converted, and with what. */
export interface Conversion {
  /** Undefined where no step quantizes on it. */
  readonly gpu: Gpu | undefined
  readonly checkpoint: Checkpoint
  readonly steps: readonly ConversionStep[]
  /** What stored matrices lose on their way, to be told as warnings. */
  readonly losses?: readonly string[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Files to write besides, by path. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  /** Whether the tokenizer is in one of the files, and need not be copied. */
  readonly hasTokenizer?: boolean
}

/** Files beside the weights that a model needs or must come with. */
const TOKENIZER_FILES = [
  'tokenizer.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
]
const LICENCE_FILES = ['MODEL_LICENSE', 'LICENSE']

/** Writes the tensors of steps in the order in which a writer asks for them. */
class Converter {
  readonly #writer: CheckpointWriter
  readonly #context: BlockContext
  /** Bytes that came with those of another tensor but have to be written later. */
  readonly #waiting = new Map<string, Uint8Array[]>()

  constructor(writer: CheckpointWriter, context: BlockContext) {
    this.#writer = writer
    this.#context = context
  }

  /** Writes one tensor of the destination, and keeps those of its step that are still to come. */
  async write(name: string, { declarations, parts }: ConversionStep): Promise<void> {
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    if (waiting) {
      for (const bytes of waiting) await this.#writer.write(name, bytes)
      return
    }
    const names = declarations.map((declaration) => declaration.name)
    const current = names.indexOf(name)
    for (const later of names.slice(current + 1)) this.#waiting.set(later, [])
    try {
      for await (const bytesOf of parts(this.#context)) {
        for (const [index, bytes] of bytesOf.entries()) {
          if (bytes && index === current) await this.#writer.write(name, bytes)
          if (bytes && index > current) this.#waiting.get(names[index])?.push(bytes)
        }
      }
    } finally {
      this.#context.disposeQuantizers()
    }
  }
}

function bytesOfSources(steps: Iterable<ConversionStep>): number {
  return [...steps].flatMap(({ sources }) => sources).reduce((sum, { byteLength }) => sum + byteLength, 0)
}

/** Copies what is no tensor, and writes the tokenizer where a GGUF file holds it. */
async function copyFiles(
  checkpoint: Checkpoint,
  writer: CheckpointWriter,
  hasTokenizer: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source } = checkpoint
  for (const file of hasTokenizer ? LICENCE_FILES : [...TOKENIZER_FILES, ...LICENCE_FILES]) {
    if (!(await source.has(file, signal))) continue
    await writer.copyFile(source, file, signal)
    if (file === 'tokenizer.model' || file === 'tokenizer.json') hasTokenizer = true
  }
  const own = hasTokenizer ? undefined : tokenizerModelOfGguf(checkpoint)
  if (own) await writer.addFile('tokenizer.model', own)
}

/**
 * Writes what an earlier run has not written yet, and the files beside the weights.
 * @throws what the source and the destination throw, and the signal's reason; the writer can be opened again then
 */
export async function runConversion(
  writer: CheckpointWriter,
  conversion: Conversion,
): Promise<ConvertResult> {
  const {
    gpu,
    checkpoint,
    steps,
    losses = [],
    signal,
    onProgress,
    files = {},
    hasTokenizer = false,
  } = conversion
  const stepOf = new Map(steps.flatMap((step) => step.declarations.map(({ name }) => [name, step] as const)))
  const sourceBytes = bytesOfSources(steps)
  try {
    const remaining = writer.shards.filter((shard) => !writer.isComplete(shard))
    const names = remaining.flatMap(({ tensors }) => tensors.map(({ name }) => name))
    let doneBytes = sourceBytes - bytesOfSources(new Set(names.map((name) => stepOf.get(name)!)))
    const onRead = (bytes: number) => {
      doneBytes += bytes
      onProgress?.({ stage: 'convert', doneBytes: Math.min(doneBytes, sourceBytes), totalBytes: sourceBytes })
    }
    for (const warning of losses) {
      onProgress?.({ stage: 'convert', doneBytes, totalBytes: sourceBytes, warning })
    }
    const context = new BlockContext(gpu, checkpoint, { signal, onRead })
    const converter = new Converter(writer, context)
    try {
      for (const name of names) {
        signal?.throwIfAborted()
        await converter.write(name, stepOf.get(name)!)
      }
    } finally {
      context.dispose()
    }
    for (const [path, bytes] of Object.entries(files)) await writer.addFile(path, bytes)
    await copyFiles(checkpoint, writer, hasTokenizer, signal)
    const written = await writer.finish()
    const bytes = [...written.values()].reduce((sum, { size }) => sum + size, 0)
    return { sourceBytes, bytes, files: written }
  } catch (error) {
    await writer.abort()
    throw error
  }
}
