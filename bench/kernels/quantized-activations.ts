import { ACTIVATION_BLOCK, type ActivationBuffers } from '../common/internals.js'
import { randomSource } from '../common/random.js'
import type { Workshop } from './workshop.js'

/** Bytes of 8-bit activations for a number of elements: the elements, and a scale and a sum for each block. */
export function activationBytes(elements: number): number {
  return elements + (elements / ACTIVATION_BLOCK) * 8
}

/** Where an element lies in its block: of every eight, the even ones come before the odd ones. */
function byteOf(element: number): number {
  const within = element % 8
  return element - within + (within % 2) * 4 + (within >> 1)
}

/** Random activations in 8 bits, and the numbers they stand for. */
export function randomActivations(workshop: Workshop, elements: number, seed: number) {
  const random = randomSource(seed)
  const bytes = new Int8Array(elements)
  const scales = new Float32Array((elements / ACTIVATION_BLOCK) * 2)
  const values = new Float64Array(elements)
  for (let first = 0; first < elements; first += ACTIVATION_BLOCK) {
    const scale = Math.fround((0.5 + random()) / 127)
    let sum = 0
    for (let i = first; i < first + ACTIVATION_BLOCK; i++) {
      const q = Math.round((random() * 2 - 1) * 127)
      bytes[byteOf(i)] = q
      values[i] = scale * q
      sum += q
    }
    scales.set([scale, scale * sum], (first / ACTIVATION_BLOCK) * 2)
  }
  const buffers: ActivationBuffers = {
    blocks: workshop.uploaded('blocks', bytes),
    scales: workshop.uploaded('block scales', scales),
  }
  return { buffers, values }
}

/** Room for activations in 8 bits. */
export function poisonedActivations(workshop: Workshop, elements: number): ActivationBuffers {
  return {
    blocks: workshop.filled('blocks', elements, { kind: 'poison' }),
    scales: workshop.filled('block scales', (elements / ACTIVATION_BLOCK) * 8, { kind: 'poison' }),
  }
}

/** The numbers that 8-bit activations stand for, from element `first`, the beginning of a block, on. */
export async function readActivations(
  workshop: Workshop,
  { blocks, scales }: ActivationBuffers,
  first: number,
  count: number,
): Promise<Float64Array> {
  const bytes = new Int8Array(await workshop.gpu.read(blocks, first, count))
  const ranges = await workshop.readFloats(
    scales,
    (first / ACTIVATION_BLOCK) * 2,
    (count / ACTIVATION_BLOCK) * 2,
  )
  return Float64Array.from(
    { length: count },
    (_, i) => bytes[byteOf(i)] * ranges[Math.floor(i / ACTIVATION_BLOCK) * 2],
  )
}
