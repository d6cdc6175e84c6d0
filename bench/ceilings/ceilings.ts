import { Filler } from '../common/fill.js'
import { type Gpu, halfMatrixShape, packHalves } from '../common/internals.js'
import type { PassTimer } from '../common/pass-timer.js'
import type { Summary } from '../common/statistics.js'
import { rate } from '../common/statistics.js'
import dotSource from './dot.wgsl?raw'
import fmaSource from './fma.wgsl?raw'
import matrixSource from './matrix.wgsl?raw'
import readSource from './read.wgsl?raw'
import type { ComputeUnit } from './units.js'

/** What a device can do at most, measured: nothing that runs on it can be faster. */
export interface Ceilings {
  /** Bytes a second that are read from a buffer larger than every cache. */
  readonly read: Summary
  /** Operations a second; units that the device lacks are missing. */
  readonly compute: Readonly<Partial<Record<ComputeUnit, Summary>>>
}

const LARGE_BUFFER = 2 ** 31
const LOADS = 8
const CHAINS = { vectors: 8, matrices: 4 }
/** Side of the subgroup matrices measured. */
const SIDE = 16

/** Bytes a second of reading once through a large buffer. */
async function measureRead(gpu: Gpu, timer: PassTimer): Promise<Summary> {
  const workgroupSize = gpu.workgroupSize(256)
  const blockBytes = workgroupSize * LOADS * 16
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits
  const largest = gpu.software ? 2 ** 24 : Math.min(LARGE_BUFFER, maxBufferSize, maxStorageBufferBindingSize)
  const blocks = Math.floor(largest / blockBytes)
  const columns = Math.min(blocks, 32_768)
  const lines = Math.floor(blocks / columns)
  const bytes = columns * lines * blockBytes
  const source = await gpu.allocating('ceiling', () => gpu.allocate('activations', 'large buffer', bytes))
  const result = gpu.allocate('activations', 'result', 16)
  const filler = await Filler.create(gpu, 1)
  filler.fill(source, { kind: 'bits' })
  const pipeline = await gpu.compile('read', [readSource], { u32: { WORKGROUP_SIZE: workgroupSize, LOADS } })
  const bindGroup = gpu.bind(pipeline, 'read', [source, result])
  const seconds = await timer.time((pass) => {
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    pass.dispatchWorkgroups(columns, lines)
  })
  gpu.free(source)
  gpu.free(result)
  return rate(bytes, seconds)
}

/** Operations a second of multiply-adds, or of dot products of four bytes, in registers. */
async function measureVectors(gpu: Gpu, timer: PassTimer, unit: 'f32' | 'f16' | 'int8'): Promise<Summary> {
  const workgroupSize = gpu.workgroupSize(256)
  const workgroups = gpu.software ? 4 : 4096
  const steps = gpu.software ? 64 : 512
  const factor = unit === 'int8' ? new Uint32Array([0x0103_02ff]) : new Float32Array([0.5])
  const parameters = gpu.upload('activations', 'factor', factor)
  const result = gpu.allocate('activations', 'result', workgroups * workgroupSize * 4)
  const pipeline = await gpu.compile(unit, [unit === 'int8' ? dotSource : fmaSource], {
    enable: unit === 'f16' ? ['f16'] : [],
    u32: { WORKGROUP_SIZE: workgroupSize, CHAINS: CHAINS.vectors, STEPS: steps },
    ...(unit !== 'int8' && { alias: { Element: unit } }),
  })
  const bindGroup = gpu.bind(pipeline, unit, [parameters, result])
  const seconds = await timer.time((pass) => {
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    pass.dispatchWorkgroups(workgroups)
  })
  gpu.free(parameters)
  gpu.free(result)
  // Two operations an element of a vec4; a dot product has four elements.
  const operations = unit === 'int8' ? 32 : 8
  return rate(workgroups * workgroupSize * steps * CHAINS.vectors * operations, seconds)
}

/** Operations a second of subgroup matrices in registers, f16 with f32 sums. */
async function measureMatrix(gpu: Gpu, timer: PassTimer): Promise<Summary> {
  const workgroups = 2048
  const steps = 512
  const operands = gpu.upload(
    'activations',
    'operands',
    packHalves(Array.from({ length: 2 * SIDE * SIDE }, (_, i) => Math.sin(i) / 64)),
  )
  const result = gpu.allocate('activations', 'result', workgroups * CHAINS.matrices * SIDE * SIDE * 4)
  const pipeline = await gpu.compile('matrix', [matrixSource], {
    enable: ['f16', 'chromium_experimental_subgroup_matrix'],
    u32: { WORKGROUP_SIZE: gpu.info.subgroupMinSize, CHAINS: CHAINS.matrices, STEPS: steps, SIDE },
  })
  const bindGroup = gpu.bind(pipeline, 'matrix', [operands, result])
  const seconds = await timer.time((pass) => {
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    pass.dispatchWorkgroups(workgroups)
  })
  gpu.free(operands)
  gpu.free(result)
  return rate(workgroups * steps * CHAINS.matrices * 2 * SIDE ** 3, seconds)
}

function hasMatrices(gpu: Gpu): boolean {
  const shape = halfMatrixShape(gpu)
  return shape !== undefined && [shape.M, shape.N, shape.K].every((side) => side === SIDE)
}

/** Measures what the device can do at most. */
export async function measureCeilings(gpu: Gpu, timer: PassTimer): Promise<Ceilings> {
  const read = await measureRead(gpu, timer)
  const compute: Partial<Record<ComputeUnit, Summary>> = {
    f32: await measureVectors(gpu, timer, 'f32'),
    ...(gpu.f16 && { f16: await measureVectors(gpu, timer, 'f16') }),
    int8: await measureVectors(gpu, timer, 'int8'),
  }
  if (hasMatrices(gpu)) compute.matrix = await measureMatrix(gpu, timer)
  return { read, compute }
}

/** The least seconds that work can take on a device. */
export function floorSeconds(
  ceilings: Ceilings,
  bytes: number,
  operations: number,
  unit: ComputeUnit,
): number {
  const peak = (ceilings.compute[unit] ?? ceilings.compute.f32)?.median ?? Number.POSITIVE_INFINITY
  return Math.max(bytes / ceilings.read.median, operations / peak)
}
