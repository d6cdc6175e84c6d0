import { ProtobufWriter } from '../protobuf/index.js'
import {
  bytePieceName,
  ModelType,
  PieceType,
  type SentencePiece,
  type SentencePieceModel,
} from './sentencepiece.js'

/**
 * Makes a SentencePiece model of ChatGLM3's kind out of ordinary pieces: BPE with byte fallback, no normalization,
 * one space put before the text. `<unk>`, `<s>`, `</s>` and the 256 byte pieces come first, as ids 0 to 258.
 *
 * @param pieces ordinary pieces, the one to merge first first, a space written as `▁`. A piece of several
 *   characters is only ever used if two parts of it, each a piece or one character, are there as well.
 */
export function chatglmSentencePieceModel(pieces: readonly string[]): SentencePieceModel {
  const bytes = Array.from({ length: 256 }, (_, byte) => bytePieceName(byte))
  const typed = (type: PieceType) => (piece: string) => ({ piece, score: 0, type })
  return {
    pieces: [
      ...['<unk>'].map(typed(PieceType.unknown)),
      ...['<s>', '</s>'].map(typed(PieceType.control)),
      ...bytes.map(typed(PieceType.byte)),
      ...pieces.map((piece, rank): SentencePiece => ({ piece, score: -1 - rank, type: PieceType.normal })),
    ],
    ...chatglmSpecs(),
  }
}

/** How ChatGLM3's tokenizer treats text: everything of its SentencePiece model but the pieces. */
export function chatglmSpecs(): Omit<SentencePieceModel, 'pieces'> {
  return {
    trainer: {
      modelType: ModelType.bpe,
      byteFallback: true,
      treatWhitespaceAsSuffix: false,
      unkId: 0,
      bosId: 1,
      eosId: 2,
    },
    normalizer: {
      precompiledCharsmap: new Uint8Array(0),
      addDummyPrefix: true,
      removeExtraWhitespaces: false,
      escapeWhitespaces: true,
    },
    denormalizerCharsmap: new Uint8Array(0),
  }
}

/** Writes a SentencePiece model file (`tokenizer.model`), the inverse of `readSentencePieceModel`. */
export function writeSentencePieceModel({
  pieces,
  trainer,
  normalizer,
  denormalizerCharsmap,
}: SentencePieceModel): Uint8Array {
  const out = new ProtobufWriter()
  for (const { piece, score, type } of pieces) {
    out.message(1, new ProtobufWriter().bytes(1, UTF8.encode(piece)).float(2, score).varint(3, type))
  }
  out.message(
    2,
    new ProtobufWriter()
      .varint(3, trainer.modelType)
      .varint(24, +trainer.treatWhitespaceAsSuffix)
      .varint(35, +trainer.byteFallback)
      .varint(40, trainer.unkId)
      .varint(41, trainer.bosId)
      .varint(42, trainer.eosId),
  )
  out.message(
    3,
    new ProtobufWriter()
      .bytes(2, normalizer.precompiledCharsmap)
      .varint(3, +normalizer.addDummyPrefix)
      .varint(4, +normalizer.removeExtraWhitespaces)
      .varint(5, +normalizer.escapeWhitespaces),
  )
  if (denormalizerCharsmap.length > 0) out.message(5, new ProtobufWriter().bytes(2, denormalizerCharsmap))
  return out.finish()
}

const UTF8 = new TextEncoder()
