import { describe } from '../errors/index.js'
import { ProtobufReader } from '../protobuf/index.js'
import { invalidTokenizer } from './errors.js'

/** `ModelProto.SentencePiece.Type`. */
export const PieceType = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const
export type PieceType = (typeof PieceType)[keyof typeof PieceType]

/** `TrainerSpec.ModelType`. */
export const ModelType = { unigram: 1, bpe: 2, word: 3, char: 4 } as const
export type ModelType = (typeof ModelType)[keyof typeof ModelType]

export interface SentencePiece {
  piece: string
  score: number
  type: PieceType
}

/** `TrainerSpec`, as far as it decides how text is encoded. */
export interface TrainerSpec {
  modelType: ModelType
  byteFallback: boolean
  treatWhitespaceAsSuffix: boolean
  unkId: number
  bosId: number
  eosId: number
}

/** `NormalizerSpec`, as far as it decides how text is encoded. */
export interface NormalizerSpec {
  /** Compiled normalization rules; empty is the identity. */
  precompiledCharsmap: Uint8Array
  addDummyPrefix: boolean
  removeExtraWhitespaces: boolean
  escapeWhitespaces: boolean
}

/** A SentencePiece model file (`tokenizer.model`). */
export interface SentencePieceModel {
  pieces: SentencePiece[]
  trainer: TrainerSpec
  normalizer: NormalizerSpec
  /** Rules for decoded text; empty is the identity. */
  denormalizerCharsmap: Uint8Array
}

const TRAINER_DEFAULTS: Readonly<TrainerSpec> = {
  modelType: ModelType.unigram,
  byteFallback: false,
  treatWhitespaceAsSuffix: false,
  unkId: 0,
  bosId: 1,
  eosId: 2,
}

const NORMALIZER_DEFAULTS: Readonly<NormalizerSpec> = {
  precompiledCharsmap: new Uint8Array(0),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
}

/** ChatGLM3's longest piece has 16 characters. The bound keeps the search for pairs cheap on any file. */
const MAX_PIECE_LENGTH = 256
/** ChatGLM3 has 64,789. A piece of five bytes takes a hundred in memory. */
const MAX_PIECES = 2 ** 18

/**
 * Reads a SentencePiece model file. Field numbers and defaults are those of `sentencepiece_model.proto`
 * (google/sentencepiece); fields that do not decide how text is encoded are skipped.
 *
 * @param bytes the whole file
 * @param file what to call it in an error
 * @throws `checkpoint.tokenizer-invalid` where the bytes are not such a file
 */
export function readSentencePieceModel(bytes: Uint8Array, file = 'tokenizer.model'): SentencePieceModel {
  refuseOtherKinds(bytes, file)
  const model: SentencePieceModel = {
    pieces: [],
    trainer: { ...TRAINER_DEFAULTS },
    normalizer: { ...NORMALIZER_DEFAULTS },
    denormalizerCharsmap: new Uint8Array(0),
  }
  const reader = new ProtobufReader(bytes, (expected, found) => invalidTokenizer(file, expected, found))
  for (let next = reader.nextField(); next; next = reader.nextField()) {
    if (next.field === 1) {
      if (model.pieces.length === MAX_PIECES) {
        throw invalidTokenizer(file, `at most ${MAX_PIECES} pieces`, 'more')
      }
      model.pieces.push(readPiece(reader.message(next.wireType), model.pieces.length, file))
    } else if (next.field === 2) readTrainerSpec(reader.message(next.wireType), model.trainer, file)
    else if (next.field === 3) readNormalizerSpec(reader.message(next.wireType), model.normalizer)
    else if (next.field === 5) {
      const denormalizer = { ...NORMALIZER_DEFAULTS }
      readNormalizerSpec(reader.message(next.wireType), denormalizer)
      model.denormalizerCharsmap = denormalizer.precompiledCharsmap
    } else reader.skip(next.wireType)
  }
  if (model.pieces.length === 0) throw invalidTokenizer(file, 'a list of pieces', 'none')
  return model
}

/**
 * Checks that a model is one that the encoder reproduces: BPE with byte fallback, text taken as it is, one space
 * put before it. ChatGLM3's is; a model of another family would be encoded wrongly without a sign.
 *
 * @throws `checkpoint.tokenizer-invalid` naming the first option that differs
 */
export function assertSupported(model: SentencePieceModel, file: string): void {
  const { trainer, normalizer, denormalizerCharsmap } = model
  const rules = normalizer.precompiledCharsmap.length + denormalizerCharsmap.length
  for (const [option, found, expected] of [
    ['model_type', trainer.modelType, ModelType.bpe],
    ['byte_fallback', trainer.byteFallback, true],
    ['treat_whitespace_as_suffix', trainer.treatWhitespaceAsSuffix, false],
    ['add_dummy_prefix', normalizer.addDummyPrefix, true],
    ['remove_extra_whitespaces', normalizer.removeExtraWhitespaces, false],
    ['escape_whitespaces', normalizer.escapeWhitespaces, true],
    ['bytes of normalization rules', rules, 0],
  ]) {
    if (found !== expected) refuse(file, `${option} to be ${expected}`, `${found}`)
  }
  assertPiecesSupported(model.pieces, trainer, file)
}

function assertPiecesSupported(pieces: readonly SentencePiece[], trainer: TrainerSpec, file: string): void {
  for (const [id, name, type] of [
    [trainer.unkId, '<unk>', PieceType.unknown],
    [trainer.bosId, '<s>', PieceType.control],
    [trainer.eosId, '</s>', PieceType.control],
  ] as const) {
    const found = pieces[id]
    if (found?.piece !== name || found.type !== type) {
      refuse(
        file,
        `piece ${id} to be ${name} of type ${type}`,
        found ? describePiece(found) : 'no such piece',
      )
    }
  }

  const types = new Map<string, PieceType>()
  for (const [id, { piece, type }] of pieces.entries()) {
    if (types.has(piece)) refuse(file, 'pieces that differ', `${describe(piece)} again as piece ${id}`)
    types.set(piece, type)
    if (type === PieceType.userDefined || type === PieceType.unused) {
      refuse(file, 'pieces of type normal, unknown, control or byte', describePiece(pieces[id]))
    }
  }
  for (let byte = 0; byte < 256; byte++) {
    const name = bytePieceName(byte)
    if (types.get(name) !== PieceType.byte) refuse(file, 'a byte piece for every byte', `no ${name}`)
  }
}

function refuse(file: string, expected: string, found: string): never {
  throw invalidTokenizer(file, expected, found, 'Use the tokenizer.model of a ChatGLM3 checkpoint.')
}

function describePiece({ piece, type }: SentencePiece): string {
  return `${describe(piece)} of type ${type}`
}

/** The name of the piece that stands for one byte, as `<0x0A>`. */
export function bytePieceName(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
}

function readPiece(reader: ProtobufReader, id: number, file: string): SentencePiece {
  let piece = ''
  let score = 0
  let type: number = PieceType.normal
  for (let next = reader.nextField(); next; next = reader.nextField()) {
    if (next.field === 1) piece = reader.string(next.wireType)
    else if (next.field === 2) score = reader.float(next.wireType)
    else if (next.field === 3) type = reader.int32(next.wireType)
    else reader.skip(next.wireType)
  }
  if (piece === '' || piece.length > MAX_PIECE_LENGTH) {
    throw invalidTokenizer(file, `piece ${id} to have 1 to ${MAX_PIECE_LENGTH} characters`, `${piece.length}`)
  }
  if (!Number.isFinite(score)) {
    throw invalidTokenizer(file, `piece ${id} to have a finite score`, `${score}`)
  }
  if (!isPieceType(type)) {
    throw invalidTokenizer(file, `piece ${id} to have a known type`, `type ${type}`)
  }
  return { piece, score, type }
}

function readTrainerSpec(reader: ProtobufReader, spec: TrainerSpec, file: string): void {
  for (let next = reader.nextField(); next; next = reader.nextField()) {
    if (next.field === 3) {
      const modelType = reader.int32(next.wireType)
      if (!isModelType(modelType)) {
        throw invalidTokenizer(file, 'a known model_type', `${modelType}`)
      }
      spec.modelType = modelType
    } else if (next.field === 24) spec.treatWhitespaceAsSuffix = reader.bool(next.wireType)
    else if (next.field === 35) spec.byteFallback = reader.bool(next.wireType)
    else if (next.field === 40) spec.unkId = reader.int32(next.wireType)
    else if (next.field === 41) spec.bosId = reader.int32(next.wireType)
    else if (next.field === 42) spec.eosId = reader.int32(next.wireType)
    else reader.skip(next.wireType)
  }
}

function readNormalizerSpec(reader: ProtobufReader, spec: NormalizerSpec): void {
  for (let next = reader.nextField(); next; next = reader.nextField()) {
    if (next.field === 2) spec.precompiledCharsmap = reader.bytes(next.wireType)
    else if (next.field === 3) spec.addDummyPrefix = reader.bool(next.wireType)
    else if (next.field === 4) spec.removeExtraWhitespaces = reader.bool(next.wireType)
    else if (next.field === 5) spec.escapeWhitespaces = reader.bool(next.wireType)
    else reader.skip(next.wireType)
  }
}

/** Recognises what people have in hand when a download went wrong. */
function refuseOtherKinds(bytes: Uint8Array, file: string): void {
  const start = String.fromCharCode(...bytes.subarray(0, 40))
  const expected = 'a SentencePiece model file'
  if (bytes.length === 0) throw invalidTokenizer(file, expected, 'an empty file')
  if (start.startsWith('version https://git-lfs')) {
    throw invalidTokenizer(file, expected, 'a Git LFS pointer', 'Run "git lfs pull" where it came from.')
  }
  if (start.startsWith('<')) throw invalidTokenizer(file, expected, 'a web page')
  if (start.startsWith('{')) {
    throw invalidTokenizer(file, expected, 'JSON', 'Read a tokenizer.json with Tokenizer.fromJson.')
  }
  // Lines of base64 and a rank.
  if (/^[A-Za-z0-9+/]+={0,2} \d+\r?\n/.test(start)) {
    throw invalidTokenizer(
      file,
      expected,
      'a vocabulary of tiktoken, as GLM-4 has it',
      'This project runs ChatGLM3: use its weights with its tokenizer.model.',
    )
  }
}

const PIECE_TYPES: ReadonlySet<number> = new Set(Object.values(PieceType))
const MODEL_TYPES: ReadonlySet<number> = new Set(Object.values(ModelType))

function isPieceType(value: number): value is PieceType {
  return PIECE_TYPES.has(value)
}

function isModelType(value: number): value is ModelType {
  return MODEL_TYPES.has(value)
}
