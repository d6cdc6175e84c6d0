/** WebGPU in Node: Dawn, from the npm package `webgpu`. Imported only where there is no `navigator.gpu`. */
import { create, globals } from 'webgpu'
import { installSoftwareAdapter, lacksVulkanLoader } from './software-adapter.js'

/** Dawn's f16 on NVIDIA cards is behind a toggle, though it works there. */
const TOGGLES = ['enable-dawn-features=vulkan_enable_f16_on_nvidia,allow_unsafe_apis']

// A process does not exit while an instance is referenced, so it is kept only as long as somebody needs it.
let instance: WeakRef<GPU> | undefined

/**
 * The GPU object of this process. Where no driver offers an adapter, the software adapter is installed first.
 * @param software whether to use the software adapter although there may be a GPU
 */
export async function nodeGpu(software = false): Promise<GPU> {
  const known = instance?.deref()
  if (known && !software) return known
  Object.assign(globalThis, globals)
  // Asked beforehand, because Dawn prints a warning when it looks for a loader in vain.
  if (software || lacksVulkanLoader()) await installSoftwareAdapter()
  let gpu = create(TOGGLES) as GPU
  if (!(await gpu.requestAdapter()) && (await installSoftwareAdapter())) gpu = create(TOGGLES) as GPU
  instance = new WeakRef(gpu)
  return gpu
}
