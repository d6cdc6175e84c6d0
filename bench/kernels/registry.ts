import { decodeAttention, prefillAttention } from './attention.js'
import { elementwiseKernels } from './elementwise.js'
import type { KernelFamily } from './kernel-case.js'
import { decodeLinear, prefillLinear } from './linear.js'
import { fusedDecodeLinear } from './linear-decode.js'
import { stepLinear } from './linear-step.js'
import { transposedLinear } from './linear-transposed.js'
import { samplingKernels } from './sampling.js'
import { trainingAttention } from './training-attention.js'

/** Every family of kernels, by the name that `--families` takes. A new kernel is a line in its family's file. */
export const KERNEL_FAMILIES: Readonly<Record<string, KernelFamily>> = {
  'fused-decode-linear': fusedDecodeLinear,
  'step-linear': stepLinear,
  'decode-linear': decodeLinear,
  'prefill-linear': prefillLinear,
  'decode-attention': decodeAttention,
  'prefill-attention': prefillAttention,
  'training-linear': transposedLinear,
  'training-attention': trainingAttention,
  elementwise: elementwiseKernels,
  sampling: samplingKernels,
}
