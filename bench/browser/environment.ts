import { adapterName } from '../../src/index.js'
import type { Environment } from '../common/environment.js'
import type { Gpu } from '../common/internals.js'

/** Where a result comes from, as far as a page can tell. */
export function describeBrowser(gpu: Gpu): Environment {
  const { vendor, architecture, device, description } = gpu.info
  return {
    date: new Date().toISOString(),
    commit: null,
    command: 'the page of measurements',
    adapter: adapterName(gpu.info),
    adapterInfo: { vendor, architecture, device, description },
    driver: null,
    toggles: [],
    features: [...gpu.device.features].sort(),
    // Neither Node nor a processor's name is to be had; the browser says what it is.
    node: navigator.userAgent,
    processor: `${navigator.hardwareConcurrency} threads`,
  }
}
