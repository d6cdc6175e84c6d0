import { expect, it } from 'vitest'
import type { Dispatch } from '../../gpu/dispatch.js'
import type {
  CompileTransposed,
  TransposedBuffers,
  TransposedConstants,
} from '../common/linear-transposed.js'
import { linearTransposedReference } from '../common/linear-transposed.reference.js'
import type { WeightFormat } from '../common/weight.js'
import { referenceWeight } from '../common/weight.reference.js'
import { compileMatmul } from '../linear/matmul/matmul.js'
import { describeOnGpu, skipRepeatedOnSoftware, type TestGpu } from './gpu.js'
import { expectClose, randomNormal } from './numbers.js'

interface Case {
  readonly rows: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly format: WeightFormat
  readonly accumulate?: boolean
  /** Rows of a first slice, where the weight is split in two. */
  readonly split?: number
  /** By what each row of dy is multiplied. */
  readonly rowScale?: (row: number) => number
}

function uploadWeight(test: TestGpu, dense: Float32Array, format: WeightFormat) {
  const { words, values } = referenceWeight(dense, format)
  const entries = Object.entries(words).map(([name, data]) => [name, test.input(data, name)] as const)
  return { buffers: Object.fromEntries(entries) as unknown as TransposedBuffers, values }
}

/** Runs a product with a poisoned scratch, if it needs any. */
async function bindProduct(
  test: TestGpu,
  compile: CompileTransposed,
  constants: TransposedConstants,
  buffers: TransposedBuffers,
): Promise<readonly Dispatch[]> {
  const product = await compile(test.gpu, constants)
  const scratch = product.scratchBytes > 0 ? test.output(product.scratchBytes / 4, 'scratch') : undefined
  return product.bind('product', { ...buffers, ...(scratch && { scratch }) })
}

/** The result and what it should be, row by row relative to the row's largest element. */
async function checkCase(test: TestGpu, compile: CompileTransposed, check: Case, tolerance: number) {
  const { rows, inFeatures, outFeatures, format, accumulate = false, rowScale = () => 1 } = check
  const dy = randomNormal(rows * outFeatures, 1).map((v, i) => v * rowScale(Math.floor(i / outFeatures)))
  const dense = randomNormal(outFeatures * inFeatures, 2, 0.1)
  const before = randomNormal(rows * inFeatures, 3)
  const shared = {
    dy: test.input(dy, 'dy'),
    dx: accumulate ? test.input(before, 'dx') : test.output(rows * inFeatures, 'dx'),
  }
  const edges = check.split ? [0, check.split, outFeatures] : [0, outFeatures]
  const dispatches: Dispatch[] = []
  for (let slice = 0; slice + 1 < edges.length; slice++) {
    const [first, end] = [edges[slice], edges[slice + 1]]
    const constants = {
      format,
      inFeatures,
      outFeatures: end - first,
      outStride: outFeatures,
      outOffset: first,
      accumulate: accumulate || slice > 0,
      maxRows: rows,
    }
    const { buffers } = uploadWeight(test, dense.subarray(first * inFeatures, end * inFeatures), format)
    dispatches.push(...(await bindProduct(test, compile, constants, { ...buffers, ...shared })))
  }
  test.run(dispatches, rows)
  const expected = linearTransposedReference(dy, referenceWeight(dense, format).values, inFeatures)
  if (accumulate) {
    before.forEach((value, i) => {
      expected[i] += value
    })
  }
  const actual = await test.floats(shared.dx)
  if (!check.rowScale) return expectClose(actual, expected, tolerance)
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * inFeatures, (row + 1) * inFeatures]
    expectClose(actual.subarray(start, end), expected.subarray(start, end), tolerance)
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Declares the tests that every product with a transposed weight must pass, for each weight format. */
export function describeLinearTransposed(
  name: string,
  compile: CompileTransposed,
  rowCounts: readonly number[],
  /** Of the largest output. */
  tolerance: number,
): void {
  const formats: readonly WeightFormat[] = [
    { type: 'f16' },
    { type: 'q4', groupSize: 64 },
    { type: 'q8', groupSize: 64 },
  ]
  describeOnGpu(name, (test) => {
    skipRepeatedOnSoftware(test)

    formats.forEach((format, index) => {
      const group = 'groupSize' in format ? ` in groups of ${format.groupSize}` : ''
      it(`multiplies by a transposed weight in ${format.type}${group}`, async () => {
        const shape = { rows: rowCounts[index % rowCounts.length], inFeatures: 192, outFeatures: 37 }
        await checkCase(test(), compile, { ...shape, format }, tolerance)
      })
    })

    it('adds to what is there, in ragged sizes', async () => {
      const shape = { rows: rowCounts[0], inFeatures: 104, outFeatures: 33, accumulate: true }
      await checkCase(test(), compile, { ...shape, format: { type: 'f16' } }, tolerance)
    })

    it('adds up a weight split into two slices', async () => {
      const format = { type: 'q4', groupSize: 32 } as const
      const shape = { rows: rowCounts[0], inFeatures: 64, outFeatures: 70, split: 41 }
      await checkCase(test(), compile, { ...shape, format }, tolerance)
    })

    it('keeps the precision of rows of very different sizes', async () => {
      const format = { type: 'q8', groupSize: 32 } as const
      const rowScale = (row: number) => (row === 2 ? 0 : 10 ** (5 - 5 * row))
      const shape = { rows: 6, inFeatures: 32, outFeatures: 40, rowScale }
      await checkCase(test(), compile, { ...shape, format }, tolerance)
    })

    it('is the adjoint of the matrix product: <dy, x w^T> = <dy w, x>', async () => {
      const [rows, inFeatures, outFeatures] = [9, 64, 24]
      const format = { type: 'q4', groupSize: 64 } as const
      const x = randomNormal(rows * inFeatures, 4)
      const dy = randomNormal(rows * outFeatures, 5)
      const { buffers } = uploadWeight(test(), randomNormal(outFeatures * inFeatures, 6), format)
      const y = test().output(rows * outFeatures, 'y')
      const dx = test().output(rows * inFeatures, 'dx')
      const shape = { format, inFeatures, outFeatures, outStride: outFeatures, outOffset: 0, maxRows: rows }
      const { gpu } = test()
      const plain = { ...shape, hasBias: false, accumulate: false }
      const forward = await compileMatmul(gpu, plain, {
        element: gpu.f16 ? 'f16' : 'f32',
        alone: gpu.software,
      })
      const backward = await bindProduct(
        test(),
        compile,
        { ...shape, accumulate: false },
        {
          ...buffers,
          dy: test().input(dy, 'dy'),
          dx,
        },
      )
      test().run([...forward.bind('forward', { ...buffers, x: test().input(x, 'x'), y }), ...backward], rows)
      const [forwardY, backwardX] = [await test().floats(y), await test().floats(dx)]
      const size = Math.sqrt(dot(forwardY, forwardY) * dot(dy, dy))
      const difference = dot(dy, forwardY) - dot(backwardX, x)
      expect(Math.abs(difference) / size).toBeLessThan(test().gpu.f16 ? 1e-3 : 1e-6)
    })
  })
}
