import {
  asFloat32Array,
  type ByteSink,
  hashFile,
  type ManifestEntry,
  openCheckpoint,
  readFile,
  readManifest,
  type TensorWithBytes,
  verifyManifest,
  writeFile,
  writeManifest,
  writeSafetensors,
  writeTorchBin,
} from '../checkpoint/index.js'
import { SinkError, TrainingError } from '../errors/index.js'
import type { ParameterState } from './engine/training-engine.js'
import { SubFolder } from './sub-folder.js'
import { checkpointName, type TrainingPosition } from './trainer-state.js'
import { checkIdentity, type TrainingIdentity } from './training-identity.js'

/** What a checkpoint consists of. */
export interface TrainingCheckpoint {
  readonly position: TrainingPosition
  readonly state: ReadonlyMap<string, ParameterState>
}

/** What is written beside the parameters, for others to read. */
export interface CheckpointDescriptions {
  /** `config.json`, or what takes its place. */
  readonly config: object
  /** `trainer_state.json`. */
  readonly trainerState: object
}

/** The files of a checkpoint that others read. */
export interface CheckpointFiles {
  readonly parameters: string
  /** What describes them. */
  readonly config: string
}

/** A prefix, or a whole model. */
export const CHECKPOINT_FILES: CheckpointFiles = { parameters: 'model.safetensors', config: 'config.json' }

export interface CheckpointStoreOptions {
  /** Default: `CHECKPOINT_FILES`. */
  readonly files?: CheckpointFiles
  /** Whether to write `pytorch_model.bin` too, for the official scripts. */
  readonly torchBin: boolean
}

const TORCH_FILE = 'pytorch_model.bin'
const OPTIMIZER_FILE = 'optimizer.safetensors'
const STATE_FILE = 'trainer_state.json'
const TRAINING_FILE = 'training.json'
/** Names the complete checkpoints; a folder that it does not name does not count. */
const LIST_FILE = 'checkpoints.json'

/** PyTorch's names for AdamW's moments. */
const FIRST_MOMENT = '.exp_avg'
const SECOND_MOMENT = '.exp_avg_sq'

const MAX_JSON_BYTES = 256 * 1024 * 1024
const VERSION = 1

/**
 * The checkpoints of a training: `checkpoint-N/` for each, and the latest or best prefix at the top, where `loadPrefix`
 * finds it. A checkpoint exists from the moment at which `checkpoints.json` names it, when all of it is written.
 */
export class CheckpointStore {
  readonly #sink: ByteSink
  readonly #identity: TrainingIdentity
  readonly #torchBin: boolean
  readonly #files: CheckpointFiles
  #steps: readonly number[]

  private constructor(
    sink: ByteSink,
    identity: TrainingIdentity,
    { torchBin, files = CHECKPOINT_FILES }: CheckpointStoreOptions,
    steps: readonly number[],
  ) {
    this.#sink = sink
    this.#identity = identity
    this.#torchBin = torchBin
    this.#files = files
    this.#steps = steps
  }

  /**
   * @param identity what training the checkpoints belong to
   * @param resume whether to go on with what is there
   * @throws `training.resume-mismatch` where there are checkpoints and none are wanted
   * @throws `sink.failed` where other weights are in the way
   */
  static async open(
    sink: ByteSink,
    identity: TrainingIdentity,
    { resume, ...options }: CheckpointStoreOptions & { readonly resume: boolean },
  ): Promise<CheckpointStore> {
    const steps = await readSteps(sink)
    if (steps.length > 0 && !resume) {
      throw new TrainingError(
        'training.resume-mismatch',
        `${sink.name} holds a training up to ${checkpointName(steps[steps.length - 1])} already. ` +
          'Resume it, or give another folder.',
      )
    }
    if (steps.length === 0) await refuseOtherWeights(sink)
    return new CheckpointStore(sink, identity, options, steps)
  }

  /** The folder of the latest checkpoint; undefined where there is none. */
  get latest(): string | undefined {
    const step = this.#steps.at(-1)
    return step === undefined ? undefined : `${this.#sink.name}/${checkpointName(step)}`
  }

  /**
   * Reads the latest checkpoint that is not damaged.
   * @returns undefined where there is none at all; with it, the folders that were passed over
   * @throws `training.resume-mismatch` where all are damaged, or the training is another one
   */
  async load(
    signal?: AbortSignal,
  ): Promise<(TrainingCheckpoint & { readonly damaged: readonly string[] }) | undefined> {
    const damaged: string[] = []
    let cause: unknown
    for (const step of this.#steps.toReversed()) {
      const folder = new SubFolder(this.#sink, checkpointName(step))
      try {
        const manifest = await readManifest(folder)
        if (!manifest) throw new TrainingError('training.resume-mismatch', `${folder.name} has no manifest.`)
        await verifyManifest(folder, manifest, { signal })
      } catch (error) {
        signal?.throwIfAborted()
        damaged.push(folder.name)
        cause ??= error
        continue
      }
      const checkpoint = await this.#read(folder, signal)
      this.#steps = this.#steps.filter((known) => known <= step)
      return { ...checkpoint, damaged }
    }
    if (damaged.length === 0) return undefined
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TrainingError(
      'training.resume-mismatch',
      `Every checkpoint in ${this.#sink.name} is damaged: ${why} Give another folder, and begin anew.`,
      { cause },
    )
  }

  /**
   * Writes a checkpoint, and the prefix at the top.
   * @param published the checkpoint whose prefix goes to the top
   * @throws `sink.failed` where the destination fails; the checkpoints before stay as they are
   */
  async save(
    { position, state }: TrainingCheckpoint,
    { config, trainerState }: CheckpointDescriptions,
    published: number,
  ): Promise<void> {
    const name = checkpointName(position.step)
    const folder = new SubFolder(this.#sink, name)
    const written: string[] = []
    const json = async (path: string, value: object) => {
      written.push(path)
      await writeJson(folder, path, value)
    }
    try {
      const parameters = tensorsOf(state, ({ parameter }) => parameter)
      written.push(this.#files.parameters)
      await writeSafetensors(folder, this.#files.parameters, parameters)
      if (this.#torchBin) {
        written.push(TORCH_FILE)
        await writeTorchBin(folder, TORCH_FILE, parameters)
      }
      written.push(OPTIMIZER_FILE)
      await writeSafetensors(folder, OPTIMIZER_FILE, [
        ...tensorsOf(state, ({ firstMoment }) => firstMoment, FIRST_MOMENT),
        ...tensorsOf(state, ({ secondMoment }) => secondMoment, SECOND_MOMENT),
      ])
      await json(this.#files.config, config)
      await json(STATE_FILE, trainerState)
      await json(TRAINING_FILE, { version: VERSION, ...this.#identity, position })
      await writeManifest(folder, await manifestOf(folder, written))
      const steps = [...this.#steps.filter((step) => step < position.step), position.step]
      await writeJson(this.#sink, LIST_FILE, { version: VERSION, steps })
      this.#steps = steps
    } catch (error) {
      // Space for another attempt; that it cannot be freed is not what the caller must hear.
      await Promise.allSettled(written.map((path) => folder.remove(path)))
      throw error
    }
    await this.#publish(checkpointName(published), trainerState)
  }

  /** Copies a checkpoint's prefix to the top. */
  async #publish(name: string, trainerState: object): Promise<void> {
    for (const path of [
      this.#files.parameters,
      ...(this.#torchBin ? [TORCH_FILE] : []),
      this.#files.config,
    ]) {
      const bytes = await readFile(this.#sink, `${name}/${path}`, Number.MAX_SAFE_INTEGER)
      await writeFile(this.#sink, path, bytes)
    }
    await writeJson(this.#sink, STATE_FILE, trainerState)
  }

  async #read(folder: SubFolder, signal?: AbortSignal): Promise<TrainingCheckpoint> {
    const { version, position, ...identity } = (await readJson(folder, TRAINING_FILE)) as {
      readonly version: number
      readonly position: TrainingPosition
    } & TrainingIdentity
    if (version !== VERSION) {
      throw new TrainingError(
        'training.resume-mismatch',
        `${folder.name} is of version ${version}; ${VERSION} is supported.`,
      )
    }
    checkIdentity(identity, this.#identity, this.#sink.name)
    const prefix = await openCheckpoint(
      new SubFolder(this.#sink, checkpointName(position.step), this.#files.parameters),
    )
    const optimizer = await openCheckpoint(
      new SubFolder(this.#sink, checkpointName(position.step), OPTIMIZER_FILE),
    )
    const state = new Map<string, ParameterState>()
    for (const [name, { shape }] of prefix.tensors) {
      const floats = async (file: typeof prefix, tensor: string) => {
        file.requireTensor(tensor, { dtype: ['F32'], shape })
        return new Float32Array(asFloat32Array(await file.read(tensor, { signal })))
      }
      state.set(name, {
        shape,
        parameter: await floats(prefix, name),
        firstMoment: await floats(optimizer, name + FIRST_MOMENT),
        secondMoment: await floats(optimizer, name + SECOND_MOMENT),
      })
    }
    return { position, state }
  }
}

function tensorsOf(
  state: ReadonlyMap<string, ParameterState>,
  part: (state: ParameterState) => Float32Array,
  suffix = '',
): TensorWithBytes[] {
  return [...state].map(([name, one]) => {
    const floats = part(one)
    const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength)
    return { name: name + suffix, dtype: 'F32', shape: one.shape, bytes }
  })
}

async function manifestOf(folder: ByteSink, paths: readonly string[]): Promise<Map<string, ManifestEntry>> {
  const manifest = new Map<string, ManifestEntry>()
  for (const path of paths) {
    manifest.set(path, { size: await folder.size(path), sha256: await hashFile(folder, path) })
  }
  return manifest
}

async function writeJson(sink: ByteSink, path: string, value: object): Promise<void> {
  await writeFile(sink, path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`))
}

async function readJson(sink: ByteSink, path: string): Promise<unknown> {
  const bytes = await readFile(sink, path, MAX_JSON_BYTES)
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new TrainingError(
      'training.resume-mismatch',
      `${path} in ${sink.name} is damaged: ${(error as Error).message}. ` +
        'Give another folder, and begin anew.',
      { cause: error },
    )
  }
}

async function readSteps(sink: ByteSink): Promise<number[]> {
  if (!(await sink.has(LIST_FILE))) return []
  const { version, steps } = (await readJson(sink, LIST_FILE)) as { version?: unknown; steps?: unknown }
  if (version === VERSION && Array.isArray(steps) && steps.every(Number.isSafeInteger)) return steps
  throw new TrainingError(
    'training.resume-mismatch',
    `${LIST_FILE} in ${sink.name} lists no checkpoints of this version. Give another folder, and begin anew.`,
  )
}

/** A model's own folder given by mistake must stay what it is. */
async function refuseOtherWeights(sink: ByteSink): Promise<void> {
  const files = await sink.list()
  const weights = files.find((file) => /\.(safetensors|bin)$|\.index\.json$/.test(file))
  if (weights) {
    throw new SinkError(
      'sink.occupied',
      `${sink.name} holds other weights (${weights}). Give a folder of its own to a training.`,
    )
  }
}
