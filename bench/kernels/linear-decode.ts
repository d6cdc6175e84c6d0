import {
  ACTIVATION_BLOCK,
  compileLinearDecode,
  type LinearDecodeBuffers,
  type LinearDecodeConstants,
  linearReference,
  quantizedActivationsReference,
  rmsNormReference,
  ropeReference,
  ropeTable,
  swigluReference,
  type WeightBuffers,
  type WeightFormat,
} from '../common/internals.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { type LinearShape, layerShapes, outputShape, weightBytes } from './linear.js'
import { poisonedActivations, randomActivations, readActivations } from './quantized-activations.js'
import { relativeError, samples, type Workshop } from './workshop.js'

const EPSILON = 1e-5
const ROPE_BASE = 10_000
const POSITION = 5
/** 8 bits an activation, with inputs between two steps that may round either way. */
const TOLERANCE = 1e-2

type Output = LinearDecodeConstants['output']

/** What the product reads: its numbers after norm and rounding, and how they are bound. */
interface Input {
  readonly values: ArrayLike<number>
  readonly buffers: LinearDecodeBuffers['input']
}

/** What the product writes, and the comparison with the reference. */
interface Target {
  readonly buffers: LinearDecodeBuffers['output']
  error(input: Input, weight: WeightBuffers): Promise<number>
}

async function normedInput(workshop: Workshop, width: number): Promise<Input> {
  const hidden = workshop.floats('hidden', width, 2)
  const normWeight = workshop.halves('norm weight', width, 0.1, 1)
  const x = await workshop.readFloats(hidden, 0, width)
  const weight = await workshop.readHalves(normWeight, 0, width)
  const values = quantizedActivationsReference(rmsNormReference(x, weight, EPSILON))
  return { values, buffers: { hidden, normWeight } }
}

/** One shape of the fused product of a decode step. */
class Product {
  readonly workshop: Workshop
  readonly shapes: CaseShapes
  readonly shape: LinearShape
  readonly format: WeightFormat

  constructor(workshop: Workshop, shapes: CaseShapes, shape: LinearShape, format: WeightFormat) {
    this.workshop = workshop
    this.shapes = shapes
    this.shape = shape
    this.format = format
  }

  /** The products of some rows of the weight, in float64. */
  async #products({ values }: Input, weight: WeightBuffers, rows: readonly number[]): Promise<Float64Array> {
    const { inFeatures } = this.shape
    const weights = new Float64Array(rows.length * inFeatures)
    for (const [i, row] of rows.entries()) {
      weights.set(await this.workshop.readWeightRow(weight, this.format, row, inFeatures), i * inFeatures)
    }
    return linearReference(values, weights, inFeatures)
  }

  /** Plain outputs, added to what is there or not. */
  async plain(accumulate: boolean): Promise<Target> {
    const { outFeatures } = this.shape
    const y = this.workshop.floats('y', outFeatures)
    const before = await this.workshop.readFloats(y, 0, outFeatures)
    return {
      buffers: { y },
      error: async (input, weight) => {
        const rows = samples(outFeatures, 32)
        const products = await this.#products(input, weight, rows)
        const after = await this.workshop.readFloats(y, 0, outFeatures)
        return relativeError(
          rows.map((row) => after[row]),
          rows.map((row, i) => products[i] + (accumulate ? before[row] : 0)),
        )
      },
    }
  }

  /** Queries, keys and values, with bias and RoPE. */
  async qkv(): Promise<Target> {
    const { outFeatures } = this.shape
    const { workshop, shapes } = this
    const buffers = {
      bias: workshop.halves('bias', outFeatures),
      rows: workshop.uploaded('rows', new Uint32Array([0, 0, POSITION, 0])),
      ropeTable: workshop.uploaded('rope table', ropeTable(POSITION + 1, shapes.headDim, ROPE_BASE)),
      qkv: workshop.filled('qkv', outFeatures * 4, { kind: 'poison' }),
    }
    return {
      buffers,
      error: async (input, weight) => {
        // RoPE turns pairs, so that both of a pair are needed.
        const pairs = samples(outFeatures / 2, 24)
        const rows = pairs.flatMap((pair) => [2 * pair, 2 * pair + 1])
        const bias = await workshop.readHalves(buffers.bias, 0, outFeatures)
        const products = await this.#products(input, weight, rows)
        const sparse = new Float64Array(outFeatures)
        rows.forEach((row, i) => {
          sparse[row] = products[i] + bias[row]
        })
        const turned = ropeReference(sparse, [POSITION], shapes, ROPE_BASE)
        const actual = await workshop.readFloats(buffers.qkv, 0, outFeatures)
        return relativeError(
          rows.map((row) => actual[row]),
          rows.map((row) => turned[row]),
        )
      },
    }
  }

  /** SwiGLU of gate and up, in 8 bits. */
  async swiglu(): Promise<Target> {
    const width = this.shape.outFeatures / 2
    const output = poisonedActivations(this.workshop, width)
    return {
      buffers: output,
      error: async (input, weight) => {
        const errors: number[] = []
        for (const block of samples(width / ACTIVATION_BLOCK, 2)) {
          const first = block * ACTIVATION_BLOCK
          const gates = Array.from({ length: ACTIVATION_BLOCK }, (_, i) => first + i)
          const rows = [...gates, ...gates.map((gate) => width + gate)]
          const expected = swigluReference(await this.#products(input, weight, rows), ACTIVATION_BLOCK)
          const actual = await readActivations(this.workshop, output, first, ACTIVATION_BLOCK)
          errors.push(relativeError(actual, expected))
        }
        return Math.max(...errors)
      },
    }
  }
}

/** How the runtime fuses each of the model's products. */
interface Fusion {
  readonly shape: LinearShape
  readonly output: (shapes: CaseShapes) => Output
  readonly hasNorm: boolean
  readonly target: (product: Product) => Promise<Target>
}

function fusions(shapes: CaseShapes): Fusion[] {
  const [qkv, dense, gateUp, down] = layerShapes(shapes)
  const { heads, kvGroups, headDim } = shapes
  const added = { output: () => ({ kind: 'add' }) as const, hasNorm: false }
  return [
    {
      shape: qkv,
      output: () => ({ kind: 'qkv', hasBias: true, heads, kvGroups, headDim }),
      hasNorm: true,
      target: (product) => product.qkv(),
    },
    { shape: dense, ...added, target: (product) => product.plain(true) },
    {
      shape: gateUp,
      output: () => ({ kind: 'swiglu' }),
      hasNorm: true,
      target: (product) => product.swiglu(),
    },
    { shape: down, ...added, target: (product) => product.plain(true) },
    {
      shape: outputShape(shapes),
      output: () => ({ kind: 'store' }),
      hasNorm: true,
      target: (product) => product.plain(false),
    },
  ]
}

function fusedCase(shapes: CaseShapes, { shape, output, hasNorm, target }: Fusion): KernelCase {
  const { inFeatures, outFeatures } = shape
  const { groupSize } = shapes
  const format: WeightFormat = { type: 'q4', groupSize }
  const weight = weightBytes(format, inFeatures * outFeatures)
  const { kind } = output(shapes)
  return {
    kernel: 'linear-decode',
    variant: `q4 g${groupSize}, ${hasNorm ? 'norm, ' : ''}${kind}`,
    shape: `${shape.name}: 1 x ${inFeatures} x ${outFeatures}`,
    bytes: weight + (inFeatures + outFeatures) * 4,
    operations: 2 * inFeatures * outFeatures,
    unit: 'int8',
    tolerance: TOLERANCE,
    async prepare(workshop) {
      const { gpu } = workshop
      const constants = {
        groupSize,
        inFeatures,
        outFeatures,
        output: output(shapes),
        ...(hasNorm && { normEpsilon: EPSILON }),
      }
      const kernel = await compileLinearDecode(gpu, constants, { alone: gpu.software })
      const input = hasNorm
        ? await normedInput(workshop, inFeatures)
        : randomActivations(workshop, inFeatures, 1)
      const written = await target(new Product(workshop, shapes, shape, format))
      const weights = Array.from({ length: workshop.sets(weight) }, () =>
        workshop.weight(format, outFeatures, inFeatures),
      )
      return {
        sets: weights.map((one) =>
          kernel.bind(shape.name, { weight: one, input: input.buffers, output: written.buffers }),
        ),
        rows: 1,
        error: () => written.error(input, weights[0]),
      }
    },
  }
}

/** The matrix products of a decode step as the runtime fuses them, with 8-bit activations. */
export const fusedDecodeLinear: KernelFamily = (_gpu, shapes) =>
  fusions(shapes).map((fusion) => fusedCase(shapes, fusion))
