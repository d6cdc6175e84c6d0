import {
  asUint16Array,
  asUint32Array,
  type Checkpoint,
  dequantizeRows,
  type FloatDType,
  float16ToFloat32,
  float32ToFloat16,
  type OnnxGraphWriter,
  type TensorDeclaration,
  type TensorInfo,
  toFloat32,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { ropeTable } from '../../../kernels/index.js'
import {
  type BlockContext,
  blockRows,
  FLOAT_DTYPES,
  inOrder,
  type MatrixRows,
  type ModelConfig,
  modelTensors,
  type RowReader,
  type StoredMatrix,
  storedMatrix,
  type TensorSpec,
} from '../../model/index.js'
import type { ConversionStep } from '../conversion-plan.js'
import { type GraphNumbers, NODE_NAMES, rotaryRows, TENSOR_NAMES } from './chatglm-graph.js'
import { type AffineBlocks, BlockQuantizer } from './quantize-blocks.js'

/** Slabs of rows read ahead of the one that is quantized. */
const SLABS_AHEAD = 2

/** How far what was written is from what was read. */
export class ErrorSum {
  #squaredError = 0
  #squares = 0

  add(squaredError: number, squares: number): void {
    this.#squaredError += squaredError
    this.#squares += squares
  }

  /** The root mean square of the differences, relative to that of the elements. */
  get relative(): number {
    return this.#squares === 0 ? 0 : Math.sqrt(this.#squaredError / this.#squares)
  }
}

/**
 * How each tensor of a graph is made of those of a checkpoint.
 * @param error is told of every matrix that is written
 * @throws as `storedMatrix`
 */
export function planExport(
  checkpoint: Checkpoint,
  config: ModelConfig,
  graph: OnnxGraphWriter,
  numbers: GraphNumbers,
  error: ErrorSum,
): ConversionStep[] {
  const declared = new Map(graph.tensors.map((tensor) => [tensor.name, tensor]))
  const declarations = (names: readonly string[]) => names.map((name) => declared.get(name)!)
  const matrix = (spec: TensorSpec, name: string): ConversionStep => {
    const stored = storedMatrix(checkpoint, spec)
    const { blocks } = numbers
    return blocks
      ? blocksOfMatrix(
          stored,
          spec,
          declarations(TENSOR_NAMES.blocks(name)),
          new BlockQuantizer(blocks),
          blocks.blockSize,
          error,
        )
      : floatsOfMatrix(stored, spec, declarations([TENSOR_NAMES.floats(name)]))
  }
  const vector = ({ name, shape }: TensorSpec, target: string): ConversionStep =>
    floatsOfVector(checkpoint.requireTensor(name, { dtype: FLOAT_DTYPES, shape }), declarations([target]))

  const tensors = modelTensors(config)
  const layers = tensors.layers.flatMap((layer, index) => {
    const names = NODE_NAMES.layer(index)
    const bias = layer.qkvBias ? [vector(layer.qkvBias, TENSOR_NAMES.bias(names.qkv))] : []
    return [
      vector(layer.inputNorm, TENSOR_NAMES.norm(names.inputNorm)),
      matrix(layer.qkv, names.qkv),
      ...bias,
      matrix(layer.dense, names.dense),
      vector(layer.postAttentionNorm, TENSOR_NAMES.norm(names.postAttentionNorm)),
      matrix(layer.gateUp, names.gateUp),
      matrix(layer.down, names.down),
    ]
  })
  const { embedding } = tensors
  return [
    floatsOfMatrix(storedMatrix(checkpoint, embedding), embedding, declarations([TENSOR_NAMES.embedding])),
    ...rotaryTables(config, declarations([TENSOR_NAMES.cos, TENSOR_NAMES.sin])),
    ...layers,
    vector(tensors.finalNorm, TENSOR_NAMES.norm(NODE_NAMES.finalNorm)),
    matrix(tensors.output, NODE_NAMES.output),
  ]
}

/** Rows of a matrix in floats and, where they are quantized, the grids on which they lie. */
interface FloatRows {
  /** f32 [rows, columns] */
  readonly values: Float32Array
  readonly grids?: AffineBlocks & { readonly groupSize: number }
}

/** All rows of a matrix, some at a time. */
async function* floatRows(
  context: BlockContext,
  stored: StoredMatrix,
  [out, columns]: readonly number[],
): AsyncGenerator<FloatRows> {
  const quantization = stored.isRequantized ? undefined : stored.quantizationAfter(undefined)
  const reader = await stored.rows(context, quantization)
  const slab = blockRows(columns * 4)
  const reads = Array.from({ length: Math.ceil(out / slab) }, (_, index) => {
    const firstRow = index * slab
    return () => readRows(reader, firstRow, Math.min(slab, out - firstRow))
  })
  for await (const { weight, scales, biases } of inOrder(reads, SLABS_AHEAD)) {
    if (!quantization) {
      yield { values: float16ToFloat32(asUint16Array(weight!)) }
      continue
    }
    const halves = { scales: asUint16Array(scales!), biases: asUint16Array(biases!) }
    yield {
      values: dequantizeRows(asUint32Array(weight!), halves.scales, halves.biases, quantization),
      grids: {
        groupSize: quantization.groupSize,
        scales: float16ToFloat32(halves.scales),
        biases: float16ToFloat32(halves.biases),
      },
    }
  }
  await reader.finish()
}

/** All parts of some rows. A reader may have them in blocks of their own. */
async function readRows(reader: RowReader, firstRow: number, rows: number): Promise<MatrixRows> {
  const parts: Partial<Record<keyof MatrixRows, Uint8Array[]>> = {}
  for (const block of reader.blocks({ firstRow, rows })) {
    for (const [part, bytes] of Object.entries(await block.read()) as [keyof MatrixRows, Uint8Array][]) {
      parts[part] = [...(parts[part] ?? []), bytes]
    }
  }
  const joined = Object.entries(parts).map(([part, pieces]) => [part, join(pieces)] as const)
  return Object.fromEntries(joined) as MatrixRows
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]
  const joined = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.byteLength
  }
  return joined
}

/** A matrix as `MatMulNBits` takes it. */
function blocksOfMatrix(
  stored: StoredMatrix,
  { name, shape }: TensorSpec,
  declarations: readonly TensorDeclaration[],
  quantizer: BlockQuantizer,
  blockSize: number,
  error: ErrorSum,
): ConversionStep {
  const columns = shape[1]
  const scaleDType = declarations[1].dtype
  return {
    sources: stored.tensors,
    declarations,
    async *parts(context) {
      for await (const { values, grids } of floatRows(context, stored, shape)) {
        const blocks = quantizer.quantize(values, columns, grids && gridsOfBlocks(grids, blockSize))
        if (!Number.isFinite(blocks.squares)) {
          throw new CheckpointError(
            'checkpoint.not-quantizable',
            `Tensor ${name} has elements that are NaN or infinite. The file is damaged, or the training diverged.`,
          )
        }
        error.add(blocks.squaredError, blocks.squares)
        const scales = scaleDType === 'F16' ? blocks.scales : float16ToFloat32(blocks.scales)
        yield [blocks.weight, bytesOf(scales), blocks.zeros]
      }
    },
  }
}

/** The grids of blocks, where each lies within one group; undefined where none need to be. */
function gridsOfBlocks(
  { groupSize, scales, biases }: NonNullable<FloatRows['grids']>,
  blockSize: number,
): AffineBlocks | undefined {
  const repeats = groupSize / blockSize
  if (!Number.isInteger(repeats)) return undefined
  const repeated = (values: Float32Array) =>
    repeats === 1
      ? values
      : Float32Array.from({ length: values.length * repeats }, (_, i) => values[Math.floor(i / repeats)])
  return { scales: repeated(scales), biases: repeated(biases) }
}

function floatsOfMatrix(
  stored: StoredMatrix,
  { shape }: TensorSpec,
  declarations: readonly TensorDeclaration[],
): ConversionStep {
  const dtype = declarations[0].dtype as FloatDType
  return {
    sources: stored.tensors,
    declarations,
    async *parts(context) {
      for await (const { values } of floatRows(context, stored, shape)) yield [floatBytes(values, dtype)]
    },
  }
}

function floatsOfVector(tensor: TensorInfo, declarations: readonly TensorDeclaration[]): ConversionStep {
  const dtype = declarations[0].dtype as FloatDType
  return {
    sources: [tensor],
    declarations,
    async *parts(context) {
      const bytes = await context.read(tensor, 0, 1, tensor.byteLength)
      yield [floatBytes(toFloat32(bytes, tensor.dtype as FloatDType), dtype)]
    },
  }
}

/** cos and sin of every row of the cache, [rows, headDim / 4] each. */
function rotaryTables(config: ModelConfig, declarations: readonly TensorDeclaration[]): ConversionStep[] {
  return declarations.map((declaration, part) => ({
    sources: [],
    declarations: [declaration],
    async *parts() {
      const table = ropeTable(rotaryRows(config), config.headDim, config.ropeBase)
      const half = table.filter((_, i) => i % 2 === part)
      yield [floatBytes(half, declaration.dtype as FloatDType)]
    },
  }))
}

function floatBytes(values: Float32Array, dtype: FloatDType): Uint8Array {
  return bytesOf(dtype === 'F16' ? float32ToFloat16(values) : values)
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
