import { it } from 'vitest'
import type { Dispatch } from '../../gpu/dispatch.js'
import type { Gpu } from '../../gpu/gpu.js'
import { packHalves, unpackHalves } from '../common/half.js'
import type { Kernel } from '../common/kernel.js'
import type { LinearBuffers, LinearConstants } from '../common/linear.js'
import { linearReference } from '../common/linear.reference.js'
import type { WeightFormat } from '../common/weight.js'
import { referenceWeight } from '../common/weight.reference.js'
import { describeOnGpu, type TestGpu } from './gpu.js'
import { expectClose, randomNormal } from './numbers.js'

type Compile = (gpu: Gpu, constants: LinearConstants) => Promise<Kernel<LinearBuffers>>

interface Case {
  readonly rows: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly format: WeightFormat
  readonly hasBias?: boolean
  readonly accumulate?: boolean
  /** Outputs of a first slice, where the weight is split in two. */
  readonly split?: number
}

async function checkCase(test: TestGpu, compile: Compile, check: Case, tolerance: number): Promise<void> {
  const { rows, inFeatures, outFeatures, format, hasBias = false, accumulate = false } = check
  const x = randomNormal(rows * inFeatures, 1)
  const dense = randomNormal(outFeatures * inFeatures, 2, 0.1)
  const bias = packHalves(randomNormal(outFeatures, 3))
  const residual = randomNormal(rows * outFeatures, 4)
  const buffers = {
    x: test.input(x, 'x'),
    y: accumulate ? test.input(residual, 'y') : test.output(rows * outFeatures, 'y'),
    ...(hasBias && { bias: test.input(bias, 'bias') }),
  }
  const edges = check.split ? [0, check.split, outFeatures] : [0, outFeatures]
  const dispatches: Dispatch[] = []
  for (let slice = 0; slice + 1 < edges.length; slice++) {
    const [first, end] = [edges[slice], edges[slice + 1]]
    const { words } = referenceWeight(dense.subarray(first * inFeatures, end * inFeatures), format)
    const constants: LinearConstants = {
      format,
      inFeatures,
      outFeatures: end - first,
      outStride: outFeatures,
      outOffset: first,
      hasBias,
      accumulate,
      maxRows: rows,
    }
    const kernel = await compile(test.gpu, constants)
    const weight = Object.fromEntries(
      Object.entries(words).map(([name, data]) => [name, test.input(data, name)]),
    ) as unknown as LinearBuffers
    dispatches.push(...kernel.bind('linear', { ...weight, ...buffers }))
  }
  test.run(dispatches, rows)
  const { values } = referenceWeight(dense, format)
  const expected = linearReference(
    x,
    values,
    inFeatures,
    hasBias ? unpackHalves(bias, outFeatures) : undefined,
  )
  if (accumulate) {
    residual.forEach((value, i) => {
      expected[i] += value
    })
  }
  expectClose(await test.floats(buffers.y), expected, tolerance)
}

/** Declares the tests that every matrix product kernel must pass, for each weight format. */
export function describeLinear(
  name: string,
  compile: Compile,
  rowCounts: readonly number[],
  /** Of the largest output; larger where the kernel computes in f16. */
  tolerance: (gpu: Gpu) => number,
): void {
  const formats: readonly WeightFormat[] = [
    { type: 'f16' },
    { type: 'q4', groupSize: 32 },
    { type: 'q4', groupSize: 64 },
    { type: 'q8', groupSize: 64 },
  ]
  describeOnGpu(name, (test) => {
    formats.forEach((format, index) => {
      const group = 'groupSize' in format ? ` in groups of ${format.groupSize}` : ''
      it(`multiplies by a weight in ${format.type}${group}`, async () => {
        const shape = { rows: rowCounts[index % rowCounts.length], inFeatures: 192, outFeatures: 37 }
        await checkCase(test(), compile, { ...shape, format }, tolerance(test().gpu))
      })
    })

    for (const rows of rowCounts) {
      it(`adds bias and residual for ${rows} rows of ragged sizes`, async () => {
        const shape = { rows, inFeatures: 104, outFeatures: 33, hasBias: true, accumulate: true }
        await checkCase(test(), compile, { ...shape, format: { type: 'f16' } }, tolerance(test().gpu))
      })
    }

    it('computes a weight split into two slices', async () => {
      const shape = { rows: rowCounts[0], inFeatures: 64, outFeatures: 70, split: 41, hasBias: true }
      await checkCase(
        test(),
        compile,
        { ...shape, format: { type: 'q4', groupSize: 32 } },
        tolerance(test().gpu),
      )
    })

    it('has a single output and a single group', async () => {
      const shape = { rows: 1, inFeatures: 32, outFeatures: 1 }
      await checkCase(
        test(),
        compile,
        { ...shape, format: { type: 'q8', groupSize: 32 } },
        tolerance(test().gpu),
      )
    })
  })
}
