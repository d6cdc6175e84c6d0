import { describeLinearTransposed } from '../../testing/linear-transposed.js'
import { compileMatmulTransposed } from './matmul-transposed.js'

for (const [how, alone] of [
  ['in tiles', false],
  ['by whole rows', true],
] as const) {
  describeLinearTransposed(
    `transposed matmul ${how}`,
    (gpu, constants) => compileMatmulTransposed(gpu, constants, { alone }),
    [33, 1, 17],
    2e-6,
  )
}
