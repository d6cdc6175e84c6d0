import { AdapterError } from '../errors/index.js'
import { isNode, type PlatformClass } from '../platform/index.js'
import { checkArgument, opaque } from '../schema/index.js'
import { ADAPTER_INFO, Gpu, type GpuOptions, isSoftwareAdapter } from './gpu.js'

/** What tells one adapter from another. */
export interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
}

/** WebGPU's adapter. */
export type Adapter = PlatformClass<'GPUAdapter', { readonly info: AdapterInfo }>

/**
 * Which adapter to use: the fastest there is, the one that takes the least power where there are several, the software
 * adapter (in Node on Linux x64, and in some browsers; slow, for tests), or a given one.
 */
export type DeviceChoice = 'auto' | 'low-power' | 'software' | Adapter

/** What a call takes as its device. */
export const DEVICE_SCHEMA = opaque<DeviceChoice>(
  (value) =>
    typeof value === 'string'
      ? ['auto', 'low-power', 'software'].includes(value)
      : typeof (value as Adapter | null)?.requestDevice === 'function',
  '"auto", "low-power", "software" or a GPUAdapter',
)

async function webGpu(software: boolean): Promise<GPU> {
  // A program in Node may have set `navigator.gpu` itself, but only another instance has the software adapter.
  if (typeof navigator !== 'undefined' && navigator.gpu && !(software && isNode)) return navigator.gpu
  if (isNode) return (await import('./node/node-gpu.js')).nodeGpu(software)
  throw new AdapterError(
    'adapter.none',
    'This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox, over https or on localhost.',
  )
}

const SOFTWARE_ADVICE =
  'The software adapter is for Linux on x64, and comes with another package: npm install @sparticuz/chromium'

/** Why there is no adapter, and what to do. */
function noAdapter(software: boolean): AdapterError {
  if (!software) {
    return new AdapterError(
      'adapter.none',
      isNode
        ? `WebGPU found no adapter: no Vulkan, Metal or Direct3D 12 driver answered. ${SOFTWARE_ADVICE}`
        : 'WebGPU found no adapter. Turn on graphics acceleration in the browser settings and update the GPU driver.',
    )
  }
  return new AdapterError(
    'adapter.none',
    isNode
      ? `There is no software adapter here: this is ${process.platform} on ${process.arch}. ${SOFTWARE_ADVICE}`
      : 'This browser offers no software adapter. Use the device "auto".',
  )
}

/**
 * The adapter of a choice.
 * @throws `adapter.none` where there is none: a GPU is never taken for the software adapter
 */
export async function requestAdapter(choice: DeviceChoice = 'auto'): Promise<Adapter> {
  checkArgument('device', DEVICE_SCHEMA, choice)
  if (typeof choice !== 'string') return choice
  const software = choice === 'software'
  const gpu = await webGpu(software)
  const adapter = await gpu.requestAdapter(
    software && !isNode
      ? { forceFallbackAdapter: true }
      : { powerPreference: choice === 'low-power' ? 'low-power' : 'high-performance' },
  )
  if (!adapter || (software && !isSoftwareAdapter(adapter.info))) throw noAdapter(software)
  return adapter
}

/**
 * The first adapter whose name holds a text; in Node alone, as browsers do not tell.
 * @throws `adapter.none`
 */
export async function requestAdapterNamed(name: string): Promise<Adapter> {
  const gpu = isNode ? await (await import('./node/node-gpu.js')).nodeGpuNamed(name) : undefined
  const adapter = await gpu?.requestAdapter()
  if (!adapter) throw new AdapterError('adapter.none', `WebGPU found no adapter called "${name}".`)
  return adapter
}

/** A device on the chosen adapter, with everything it offers. */
export async function openGpu(choice?: DeviceChoice, options?: GpuOptions): Promise<Gpu> {
  const adapter = await requestAdapter(choice)
  if (!isNode) return Gpu.create(adapter, options)
  const { waitUnhurried } = await import('./node/node-polling.js')
  return Gpu.create(adapter, { onWait: waitUnhurried, ...options })
}

/** A name of an adapter for people. */
export function adapterName(info: AdapterInfo): string {
  checkArgument('info', ADAPTER_INFO, info)
  return info.description || info.device || `${info.vendor} ${info.architecture}`.trim() || 'unknown adapter'
}
