import { type DType, isDType, tensorBytes } from './dtype.js'

/**
 * The types of ggml that store a row in blocks, by their names there: some neighbours of a row, their integers
 * together with what scales them (https://github.com/ggml-org/ggml, `ggml-common.h`).
 */
export type BlockType =
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'

/** The type of a tensor of a checkpoint: a type of elements, or one of blocks. */
export type StoredType = DType | BlockType

/** Elements of a block, and the bytes that it takes. */
export interface BlockLayout {
  readonly elements: number
  readonly bytes: number
}

const LAYOUTS: Readonly<Record<BlockType, BlockLayout>> = {
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q8_0: { elements: 32, bytes: 34 },
  Q2_K: { elements: 256, bytes: 84 },
  Q3_K: { elements: 256, bytes: 110 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
}

/** The layout of a block. */
export function blockLayout(type: BlockType): BlockLayout {
  return LAYOUTS[type]
}

/** Whether a tensor's type is one of blocks. */
export function isBlockType(type: StoredType): type is BlockType {
  return !isDType(type)
}

/** ggml's numbers of the types that are read and written (`enum ggml_type`). */
const NUMBERS: Readonly<Partial<Record<StoredType, number>>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  I8: 24,
  I32: 26,
  I64: 27,
  F64: 28,
  BF16: 30,
}
const TYPES: ReadonlyMap<number, StoredType> = new Map(
  Object.entries(NUMBERS).map(([type, number]) => [number, type as StoredType]),
)

/** Types that a file may well have, and that are not read, for messages. */
const OTHERS: Readonly<Record<number, string>> = {
  4: 'Q4_2',
  5: 'Q4_3',
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  25: 'I16',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

/** The type of a number in a file; undefined where it is not read. */
export function ggmlType(number: number): StoredType | undefined {
  return TYPES.get(number)
}

/** What to call the type of a number that is not read. */
export function ggmlTypeName(number: number): string {
  return OTHERS[number] ?? `number ${number}`
}

/** ggml's number of a type; undefined where it has none. */
export function ggmlNumber(type: StoredType): number | undefined {
  return NUMBERS[type]
}

/**
 * The bytes of a tensor of any type; undefined where they are no safe integer, or rows are no whole blocks.
 *
 * @param shape dimensions, each a whole number >= 0; blocks lie along the last one
 */
export function storedBytes(type: StoredType, shape: readonly number[]): number | undefined {
  if (!isBlockType(type)) return tensorBytes(type, shape)
  const { elements, bytes } = LAYOUTS[type]
  const columns = shape[shape.length - 1] ?? 0
  if (columns % elements !== 0) return undefined
  return tensorBytes('U8', [...shape.slice(0, -1), (columns / elements) * bytes])
}
