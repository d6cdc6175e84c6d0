import type { ActivationBuffers } from '../linear/linear-decode/linear-decode.js'
import type { TestGpu } from './gpu.js'

/** Reads 8-bit activations as numbers. */
export async function activations(test: TestGpu, { blocks, scales }: ActivationBuffers): Promise<number[]> {
  const bytes = new Int8Array((await test.words(blocks)).buffer)
  const scaleAndSum = await test.floats(scales)
  return Array.from({ length: bytes.length }, (_, i) => {
    const within = i % 8
    const word = Math.floor(i / 8) * 2 + (within % 2)
    return bytes[word * 4 + Math.floor(within / 2)] * scaleAndSum[Math.floor(i / 32) * 2]
  })
}

/** Room for so many 8-bit activations. */
export function activationOutputs(test: TestGpu, count: number): ActivationBuffers {
  return { blocks: test.output(count / 4, 'blocks'), scales: test.output(count / 16, 'scales') }
}
