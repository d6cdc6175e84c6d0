import type { AffineQuantization } from '../../../checkpoint/index.js'
import type { QuantizedFormat, WeightFormat } from '../../../kernels/index.js'

/** The parts of a matrix on the GPU and in this project's files, in the order of the files. A float16 one has only a weight. */
export const MATRIX_PARTS = ['weight', 'scales', 'biases'] as const
export type MatrixPart = (typeof MATRIX_PARTS)[number]

/**
 * Bytes of rows, part by part: `weight` is f16 [rows, columns], or u32 [rows, columns * bits / 32] where they are
 * quantized; `scales` and `biases` are f16 [rows, columns / groupSize].
 */
export type MatrixRows = { readonly [part in MatrixPart]?: Uint8Array }

/** The kernels' name of a quantization; undefined means float16. */
export function weightFormat(quantization: AffineQuantization | undefined): WeightFormat {
  return quantization ? quantizedFormat(quantization) : { type: 'f16' }
}

/** The kernels' name of a quantization. */
export function quantizedFormat({ bits, groupSize }: AffineQuantization): QuantizedFormat {
  return { type: bits === 4 ? 'q4' : 'q8', groupSize }
}

/** Bytes of a row in each part of a matrix; 0 for parts that it does not have. */
export function rowBytes(format: WeightFormat, columns: number): Readonly<Record<MatrixPart, number>> {
  if (format.type === 'f16') return { weight: columns * 2, scales: 0, biases: 0 }
  const bits = format.type === 'q4' ? 4 : 8
  const groups = (columns / format.groupSize) * 2
  return { weight: (columns * bits) / 8, scales: groups, biases: groups }
}

/** The largest groups that columns divide into, of at most `most`; undefined where there are none. */
export function inGroups(bits: 4 | 8, columns: number, most: number): AffineQuantization | undefined {
  const groupSize = ([64, 32] as const).find((size) => size <= most && columns % size === 0)
  return groupSize && { bits, groupSize }
}
