export {
  type Adapter,
  type AdapterInfo,
  adapterName,
  DEVICE_SCHEMA,
  type DeviceChoice,
  openGpu,
  requestAdapter,
  requestAdapterNamed,
} from './adapter.js'
export { DAWN_TOGGLES } from './dawn-toggles.js'
export { type Dispatch, encodeDispatches, flatWorkgroups, type Workgroups } from './dispatch.js'
export * from './errors.js'
export {
  type BufferRange,
  Gpu,
  type GpuOptions,
  isSoftwareAdapter,
  type MemoryKind,
  type OptionalFeature,
  STORAGE_USAGE,
  type SubgroupMatrixConfig,
} from './gpu.js'
export { userCacheFolder } from './user-cache.js'
export type { Specialization } from './wgsl.js'
