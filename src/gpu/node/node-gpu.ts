/** WebGPU in Node: Dawn, from the npm package `webgpu`. Imported only where there is no `navigator.gpu`. */
import { DAWN_TOGGLES } from '../dawn-toggles.js'
import { installSoftwareAdapter, lacksVulkanLoader } from './software-adapter.js'

// Referenced for good: devices do not keep their instance alive, and crash the process when it is collected.
const instances: { best?: Promise<GPU>; software?: Promise<GPU> } = {}
const named = new Map<string, GPU>()

/** Bundlers of servers, as that of Next.js, leave this as it is: they cannot take along what it loads. */
const dawn = () => import(/* webpackIgnore: true */ 'webgpu')

async function createInstance(software: boolean): Promise<GPU> {
  const { create, globals } = await dawn()
  Object.assign(globalThis, globals)
  const { VK_DRIVER_FILES } = process.env
  // Asked beforehand, because Dawn prints a warning when it looks for a loader in vain.
  if (software || lacksVulkanLoader()) await installSoftwareAdapter()
  const gpu = create([...DAWN_TOGGLES]) as GPU
  const found = await gpu.requestAdapter()
  if (software) {
    // This instance has found its driver; one for the best adapter must find the others.
    if (VK_DRIVER_FILES === undefined) delete process.env.VK_DRIVER_FILES
    else process.env.VK_DRIVER_FILES = VK_DRIVER_FILES
  }
  if (found || software) return gpu
  return (await installSoftwareAdapter()) ? (create([...DAWN_TOGGLES]) as GPU) : gpu
}

/**
 * The GPU object of this process. Where no driver offers an adapter, the software adapter is installed first.
 * @param software whether to use the software adapter although there may be a GPU
 */
export function nodeGpu(software = false): Promise<GPU> {
  const kind = software ? 'software' : 'best'
  instances[kind] ??= createInstance(software)
  return instances[kind]
}

/** The GPU object of this process that gives the first adapter whose name holds a text. */
export async function nodeGpuNamed(name: string): Promise<GPU> {
  const { create, globals } = await dawn()
  Object.assign(globalThis, globals)
  const gpu = named.get(name) ?? (create([...DAWN_TOGGLES, `adapter=${name}`]) as GPU)
  named.set(name, gpu)
  return gpu
}
