import { describeLinear } from '../testing/linear.js'
import { compileMatmul } from './matmul.js'

describeLinear('matmul', compileMatmul, [33, 1, 17], (gpu) => (gpu.f16 ? 1e-3 : 2e-6))
