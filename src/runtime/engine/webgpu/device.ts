import type { Checkpoint } from '../../../checkpoint/index.js'
import type { DeviceError } from '../../../errors/index.js'
import { deviceLost } from '../../../gpu/index.js'
import { loadPrefix, type ModelBase, type Prefix, type PrefixHandle } from '../../model/index.js'
import type { AdapterInfo, ModelDevice } from '../model-device.js'
import type { VariantChoices } from '../variants/variants.js'
import type { WebGpuEngine } from './engine.js'
import { PREFIX_ROWS } from './engine-options.js'

/** The GPU of an engine of this project's own kernels. */
export class WebGpuDevice implements ModelDevice {
  readonly lost: Promise<DeviceError>
  readonly #engine: WebGpuEngine

  constructor(engine: WebGpuEngine) {
    this.#engine = engine
    this.lost = engine.gpu.device.lost.then(({ message, reason }) => deviceLost(message || reason))
  }

  get adapter(): AdapterInfo {
    return this.#engine.gpu.info
  }

  get variants(): VariantChoices {
    return this.#engine.variants
  }

  get base(): ModelBase {
    const { gpu, config, weights } = this.#engine
    return { gpu, config, weights }
  }

  loadPrefix(checkpoint: Checkpoint, signal?: AbortSignal): Promise<Prefix> {
    const { gpu, config } = this.#engine
    const mostRows = this.#engine.available(undefined) + PREFIX_ROWS - 2
    return loadPrefix(gpu, checkpoint, config, mostRows, signal)
  }

  freePrefix(prefix: PrefixHandle): void {
    this.#engine.gpu.free((prefix as Prefix).rows)
  }

  dispose(): void {
    this.#engine.gpu.dispose()
  }
}
