import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packHalves } from '../common/internals.js'
import { randomSource } from '../common/random.js'
import type { GraphNumbers, OnnxGraph, SharedFile } from './onnx-graph.js'

/** Random contents are repeated after so many elements: no system could make use of that. */
const BLOCK_ELEMENTS = 2 ** 22
const SEED = 7

/** Of scales, biases and the embedding: small enough for sums over thousands to stay of size 1. */
const WEIGHT_RANGE = 0.006

function block(kind: SharedFile['kind'], activations: GraphNumbers['activations']): Uint8Array {
  const random = randomSource(SEED)
  if (kind === 'bits') return Uint8Array.from({ length: BLOCK_ELEMENTS }, () => random() * 256)
  const [center, range] = kind === 'norms' ? [1, 0.1] : [0, WEIGHT_RANGE]
  const numbers = Float32Array.from({ length: BLOCK_ELEMENTS }, () => center + range * (2 * random() - 1))
  return new Uint8Array((activations === 'float16' ? packHalves(numbers) : numbers).buffer)
}

/** Writes a graph and its tensors into a folder. @returns the path of the graph */
export async function writeGraph(
  graph: OnnxGraph,
  { activations }: GraphNumbers,
  folder: string,
): Promise<string> {
  for (const { name, kind, byteLength } of graph.files) {
    const contents = block(kind, activations)
    const file = await open(join(folder, name), 'w')
    try {
      for (let at = 0; at < byteLength; at += contents.length) {
        await file.writeFile(contents.subarray(0, Math.min(contents.length, byteLength - at)))
      }
    } finally {
      await file.close()
    }
  }
  const path = join(folder, 'model.onnx')
  await writeFile(path, graph.model)
  return path
}
