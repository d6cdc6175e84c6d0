import type { Checkpoint } from '../../../checkpoint/index.js'
import type { DeviceError } from '../../../errors/index.js'
import type { AdapterInfo } from '../../../gpu/index.js'
import { deviceLost } from '../../../gpu/index.js'
import {
  type AdapterHandle,
  isLora,
  loadPrefix,
  type ModelBase,
  openLora,
  type Prefix,
} from '../../model/index.js'
import type { ModelDevice } from '../model-device.js'
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
    const { gpu, config, weights, variants } = this.#engine
    const { trainingProduct, trainingAttention } = variants
    return {
      gpu,
      config,
      weights,
      variants: { trainingProduct: trainingProduct.variant, trainingAttention: trainingAttention.variant },
    }
  }

  async loadAdapter(checkpoint: Checkpoint, signal?: AbortSignal): Promise<AdapterHandle> {
    const { gpu, config, lora } = this.#engine
    if (await isLora(checkpoint, signal)) {
      return lora.add(await openLora(checkpoint, config, signal), signal)
    }
    const mostRows = this.#engine.available(undefined) + PREFIX_ROWS - 2
    return loadPrefix(gpu, checkpoint, config, mostRows, signal)
  }

  async freeAdapter(adapter: AdapterHandle): Promise<void> {
    if (adapter.kind === 'lora') await this.#engine.lora.remove(adapter)
    else this.#engine.gpu.free((adapter as Prefix).rows)
  }

  dispose(): void {
    this.#engine.gpu.dispose()
  }
}
