import { expect, it } from 'vitest'
import { ropeTable } from '../../attention/rope/rope.js'
import { ropeReference } from '../../attention/rope/rope.reference.js'
import { packHalves, unpackHalves } from '../../common/half.js'
import type { WeightBuffers } from '../../common/weight.js'
import { referenceWeight } from '../../common/weight.reference.js'
import { activationOutputs, activations } from '../../testing/activations.js'
import { describeOnGpu, type TestGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileLinearDecode, type LinearDecodeConstants } from './linear-decode.js'
import { linearDecodeReference, linearDecodeSwigluReference } from './linear-decode.reference.js'

const EPSILON = 1e-5
/** An input right between two 8-bit steps may round either way: a step is 1/127 of the largest of 32 inputs. */
const TOLERANCE = 2e-3

function weightOf(test: TestGpu, dense: Float32Array, groupSize: number) {
  const { words, values } = referenceWeight(dense, { type: 'q4', groupSize })
  const buffers = Object.fromEntries(
    Object.entries(words).map(([name, data]) => [name, test.input(data, name)]),
  ) as unknown as WeightBuffers
  return { buffers, values }
}

const KERNELS = [
  { how: 'lanes that share rows', alone: false },
  { how: 'invocations alone', alone: true },
]

for (const { how, alone } of KERNELS) {
  describeOnGpu(`linear decode, ${how}`, (test) => {
    const compile = (constants: LinearDecodeConstants) =>
      compileLinearDecode(test().gpu, constants, { alone })
    const norm = (inFeatures: number) => {
      const hidden = randomNormal(inFeatures, 1, 3)
      const normWeight = packHalves(randomNormal(inFeatures, 2, 0.3).map((value) => 1 + value))
      const reference = { weight: unpackHalves(normWeight, inFeatures), epsilon: EPSILON }
      return {
        hidden,
        reference,
        buffers: { hidden: test().input(hidden), normWeight: test().input(normWeight) },
      }
    }

    for (const [inFeatures, outFeatures, groupSize] of [
      [64, 37, 32],
      [320, 5, 64],
      [4096, 6, 64],
    ]) {
      it(`multiplies the norm of ${inFeatures} inputs by ${outFeatures} rows in groups of ${groupSize}`, async () => {
        const { hidden, reference, buffers } = norm(inFeatures)
        const { buffers: weight, values } = weightOf(
          test(),
          randomNormal(outFeatures * inFeatures, 3, 0.1),
          groupSize,
        )
        const kernel = await compile({
          groupSize,
          inFeatures,
          outFeatures,
          normEpsilon: EPSILON,
          output: { kind: 'store' },
        })
        const y = test().output(outFeatures, 'y')
        test().run(kernel.bind('linear', { weight, input: buffers, output: { y } }))
        expectClose(await test().floats(y), linearDecodeReference(hidden, values, reference), TOLERANCE)
      })
    }

    it('makes 8-bit activations of SwiGLU, and multiplies them and adds to the residual stream', async () => {
      const [hiddenSize, ffn] = [64, 96]
      const { hidden, reference, buffers } = norm(hiddenSize)
      const up = weightOf(test(), randomNormal(2 * ffn * hiddenSize, 4, 0.2), 32)
      const down = weightOf(test(), randomNormal(hiddenSize * ffn, 5, 0.2), 32)
      const common = { groupSize: 32, inFeatures: hiddenSize, outFeatures: 2 * ffn }
      const multiplyUp = await compile({
        ...common,
        normEpsilon: EPSILON,
        output: { kind: 'swiglu' },
      })
      const output = activationOutputs(test(), ffn)
      test().run(multiplyUp.bind('up', { weight: up.buffers, input: buffers, output }))
      const activated = await activations(test(), output)
      expectClose(activated, linearDecodeSwigluReference(hidden, up.values, reference), 1e-2)

      const multiplyDown = await compile({
        groupSize: 32,
        inFeatures: ffn,
        outFeatures: hiddenSize,
        output: { kind: 'add' },
      })
      const y = test().input(hidden, 'y')
      test().run(multiplyDown.bind('down', { weight: down.buffers, input: output, output: { y } }))
      const expected = linearDecodeReference(activated, down.values).map((value, i) => value + hidden[i])
      expectClose(await test().floats(y), expected, 1e-5)
    })

    it('adds the bias and turns queries and keys by their position', async () => {
      const heads = { heads: 4, kvGroups: 2, headDim: 16 }
      const [inFeatures, outFeatures] = [64, 128]
      const { hidden, reference, buffers } = norm(inFeatures)
      const { buffers: weight, values } = weightOf(test(), randomNormal(outFeatures * inFeatures, 6, 0.1), 32)
      const biasWords = packHalves(randomNormal(outFeatures, 7))
      const kernel = await compile({
        groupSize: 32,
        inFeatures,
        outFeatures,
        normEpsilon: EPSILON,
        output: { kind: 'qkv', hasBias: true, ...heads },
      })
      const qkv = test().output(outFeatures, 'qkv')
      const position = 41
      const output = {
        bias: test().input(biasWords),
        rows: test().input(new Uint32Array([5, 0, position, 3])),
        ropeTable: test().input(ropeTable(50, 16, 10_000)),
        qkv,
      }
      test().run(kernel.bind('qkv', { weight, input: buffers, output }))
      const bias = unpackHalves(biasWords, outFeatures)
      const projected = linearDecodeReference(hidden, values, reference).map((value, i) => value + bias[i])
      expectClose(await test().floats(qkv), ropeReference(projected, [position], heads, 10_000), TOLERANCE)
    })

    it('refuses sizes that do not divide into blocks', async () => {
      const constants = {
        groupSize: 32,
        inFeatures: 64,
        outFeatures: 100,
        output: { kind: 'swiglu' },
      } as const
      await expect(compile(constants)).rejects.toThrow('[100, 64] in groups of 32')
    })
  })
}
