import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from 'vitest'
import { asFloat32Array, type Checkpoint, openCheckpoint } from '../src/checkpoint/index.js'

/** The folder of the reference implementation's outputs; tests that need it are skipped where it is not given. */
const GOLDEN = process.env.CHATGLM_GOLDEN

/** Declares tests that need the goldens, and says so where they are not there. */
export function describeGolden(name: string, tests: (folder: string) => void): void {
  const title = GOLDEN ? name : `${name} (skipped: CHATGLM_GOLDEN is not set)`
  describe.skipIf(!GOLDEN)(title, () => tests(GOLDEN ?? ''))
}

/** Opens one safetensors file of the goldens. */
export function openGolden(...path: string[]): Promise<Checkpoint> {
  return openCheckpoint(join(GOLDEN ?? '', ...path))
}

/** A float tensor of a golden. */
export async function goldenFloats(golden: Checkpoint, name: string): Promise<Float32Array> {
  golden.requireTensor(name, { dtype: ['F32'] })
  return asFloat32Array(await golden.read(name))
}

/** An integer tensor of a golden, I64 or I32, as numbers. */
export async function goldenIds(golden: Checkpoint, name: string): Promise<number[]> {
  const { dtype } = golden.requireTensor(name, { dtype: ['I64', 'I32'] })
  const bytes = (await golden.read(name)).slice()
  return Array.from(dtype === 'I64' ? new BigInt64Array(bytes.buffer) : new Int32Array(bytes.buffer), Number)
}

export function readGolden(...path: string[]): Promise<Buffer> {
  return readFile(join(GOLDEN ?? '', ...path))
}
