import { Gpu, type GpuOptions } from '../kernels/index.js'
import { NoAdapterError } from './errors.js'

/**
 * Which adapter to use: the fastest there is, the software adapter (Node only; slow, for tests), or a given one.
 */
export type DeviceChoice = 'auto' | 'software' | GPUAdapter

const isNode = typeof process !== 'undefined' && typeof process.versions?.node === 'string'

async function webGpu(software: boolean): Promise<GPU> {
  if (typeof navigator !== 'undefined' && navigator.gpu && !software) return navigator.gpu
  if (isNode) return (await import('./node-gpu.js')).nodeGpu(software)
  throw new NoAdapterError(
    'This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox, over https or on localhost.',
  )
}

/**
 * The adapter of a choice.
 * @throws NoAdapterError where there is none
 */
export async function requestAdapter(choice: DeviceChoice = 'auto'): Promise<GPUAdapter> {
  if (typeof choice !== 'string') return choice
  const gpu = await webGpu(choice === 'software')
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter) return adapter
  throw new NoAdapterError(
    isNode
      ? 'WebGPU found no adapter: no Vulkan, Metal or Direct3D 12 driver answered, and the software adapter is for Linux on x64.'
      : 'WebGPU found no adapter. Turn on graphics acceleration in the browser settings and update the GPU driver.',
  )
}

/** A device on the chosen adapter, with everything it offers. */
export async function openGpu(choice?: DeviceChoice, options?: GpuOptions): Promise<Gpu> {
  return Gpu.create(await requestAdapter(choice), options)
}

/** A name of an adapter for people. */
export function adapterName(info: GPUAdapterInfo): string {
  return info.description || info.device || `${info.vendor} ${info.architecture}`.trim() || 'unknown adapter'
}
