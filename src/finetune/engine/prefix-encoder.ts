import type { Dispatch, Gpu } from '../../gpu/index.js'
import { compileMatmulFloat, compileSumRows, compileTanh, compileTanhBackward } from '../../kernels/index.js'
import type { Allocation } from './allocation.js'
import { type Command, dispatches } from './commands.js'
import type { Parameter, ParameterSpec } from './parameters.js'

/**
 * What turns parameters into the rows of a prefix, as the official `PrefixEncoder`: the embedding itself, or with
 * `prefix_projection` tanh(e W0^T + b0) W2^T + b2. It depends on the parameters alone and not on the sequence, so it
 * runs once an update: forward behind it, and backward before it, over the sum of the gradients of all its sequences.
 */
export interface PrefixEncoder {
  /** f32 [prefixLength, prefixWidth] */
  readonly output: GPUBuffer
  /** Gradient of it, added up over sequences. */
  readonly outputGradient: GPUBuffer
  /** From parameters to `output`. */
  readonly forward: readonly Command[]
  /** From `outputGradient` to the gradients of the parameters, which are overwritten. */
  readonly backward: readonly Command[]
  /** Zeroes `outputGradient`. */
  readonly clear: readonly Command[]
}

const FLOAT = 4
const once = () => 1

/** Bytes on the GPU beside those of the parameters. */
export function encoderBytes(parameters: readonly ParameterSpec[]): number {
  if (parameters.length === 1) return 0
  const [rows, width] = parameters[0].shape
  return 2 * rows * (parameters[1].shape[0] + width) * FLOAT
}

/** The encoder without projection: its only parameter is its output. */
function embeddingEncoder([embedding]: readonly Parameter[]): PrefixEncoder {
  return {
    output: embedding.value,
    outputGradient: embedding.gradient,
    forward: [],
    backward: [],
    clear: [{ kind: 'clear', buffer: embedding.gradient }],
  }
}

/** The dispatches of a linear layer y = x w^T + b, there and back. */
async function linearLayer(
  gpu: Gpu,
  rows: number,
  weight: Parameter,
  bias: Parameter,
  { x, y, dx, dy }: Readonly<Record<'x' | 'y' | 'dx' | 'dy', GPUBuffer>>,
): Promise<{ forward: Dispatch[]; backward: Dispatch[] }> {
  const [outFeatures, inFeatures] = weight.shape
  const plain = { transposedA: false, transposedB: false, hasBias: false }
  const [multiply, inputGradient, weightGradient, biasGradient] = await Promise.all([
    compileMatmulFloat(gpu, { ...plain, rows, outputs: outFeatures, depth: inFeatures, hasBias: true }),
    compileMatmulFloat(gpu, {
      ...plain,
      rows,
      outputs: inFeatures,
      depth: outFeatures,
      transposedB: true,
    }),
    compileMatmulFloat(gpu, {
      ...plain,
      rows: outFeatures,
      outputs: inFeatures,
      depth: rows,
      transposedA: true,
      transposedB: true,
    }),
    compileSumRows(gpu, { rows, width: outFeatures }),
  ])
  return {
    forward: multiply.bind('prefix projection', { a: x, b: weight.value, bias: bias.value, y }),
    backward: [
      ...weightGradient.bind('prefix projection, weight gradient', { a: dy, b: x, y: weight.gradient }),
      ...biasGradient.bind('prefix projection, bias gradient', { x: dy, y: bias.gradient }),
      ...inputGradient.bind('prefix projection, gradient', { a: dy, b: weight.value, y: dx }),
    ],
  }
}

/** Between the layers of an encoder with projection, and behind them. */
type ProjectionBuffers = Readonly<
  Record<'hidden' | 'hiddenGradient' | 'output' | 'outputGradient', GPUBuffer>
>

/** Allocates what an encoder needs beside its parameters: nothing without projection. */
export function allocateEncoder(
  allocation: Allocation,
  parameters: readonly ParameterSpec[],
): ProjectionBuffers | undefined {
  if (parameters.length === 1) return undefined
  const [rows, width] = parameters[0].shape
  const [inner] = parameters[1].shape
  const floats = (label: string, columns: number) =>
    allocation.allocate('prefixes', `prefix encoder ${label}`, rows * columns * FLOAT)
  return {
    hidden: floats('hidden', inner),
    hiddenGradient: floats('gradient of hidden', inner),
    output: floats('output', width),
    outputGradient: floats('gradient of output', width),
  }
}

async function projectionEncoder(
  gpu: Gpu,
  [embedding, weight0, bias0, weight2, bias2]: readonly Parameter[],
  { hidden, hiddenGradient, output, outputGradient }: ProjectionBuffers,
): Promise<PrefixEncoder> {
  const [rows] = embedding.shape
  const [inner] = weight0.shape
  const [first, second, tanh, tanhBackward] = await Promise.all([
    linearLayer(gpu, rows, weight0, bias0, {
      x: embedding.value,
      y: hidden,
      dx: embedding.gradient,
      dy: hiddenGradient,
    }),
    linearLayer(gpu, rows, weight2, bias2, {
      x: hidden,
      y: output,
      dx: hiddenGradient,
      dy: outputGradient,
    }),
    compileTanh(gpu, { count: rows * inner }),
    compileTanhBackward(gpu, { count: rows * inner }),
  ])
  const gradient = tanhBackward.bind('prefix tanh gradient', { y: hidden, gradient: hiddenGradient })
  return {
    output,
    outputGradient,
    forward: dispatches(
      once,
      ...first.forward,
      ...tanh.bind('prefix tanh', { x: hidden }),
      ...second.forward,
    ),
    backward: dispatches(once, ...second.backward, ...gradient, ...first.backward),
    clear: [{ kind: 'clear', buffer: outputGradient }],
  }
}

/**
 * Builds the encoder over parameters in the order of `parameterSpecs`.
 * @param buffers from `allocateEncoder`
 */
export async function createPrefixEncoder(
  gpu: Gpu,
  parameters: readonly Parameter[],
  buffers: ProjectionBuffers | undefined,
): Promise<PrefixEncoder> {
  return buffers ? projectionEncoder(gpu, parameters, buffers) : embeddingEncoder(parameters)
}
