import { describeLinear } from '../../testing/linear.js'
import { compileMatmul } from './matmul.js'

const ROW_COUNTS = [33, 1, 17]

describeLinear(
  'matmul in tiles',
  (gpu, constants, maxRows) => compileMatmul(gpu, constants, maxRows, undefined, false),
  ROW_COUNTS,
  (gpu) => (gpu.f16 ? 1e-3 : 2e-6),
)
describeLinear(
  'matmul by whole rows',
  (gpu, constants, maxRows) => compileMatmul(gpu, constants, maxRows, 'f32', true),
  ROW_COUNTS,
  () => 2e-6,
)
