import { describeLinearTransposed } from '../testing/linear-transposed.js'
import { compileMatmulTransposed } from './matmul-transposed.js'

describeLinearTransposed('transposed matmul', compileMatmulTransposed, [33, 1, 17], 2e-6)
