import { ModelHost } from '../../browser/index.js'
import { requestAdapterNamed } from '../../gpu/index.js'

type Load = Parameters<ModelHost['load']>

/** A model in a process of its own, on the one card that the process is for. */
export class CardHost extends ModelHost {
  /** @param adapterName what Dawn calls the card, where the process sees others too */
  async loadOn(
    adapterName: string | undefined,
    id: Load[0],
    source: Load[1],
    options: Load[2],
    onProgress: Load[3],
  ): ReturnType<ModelHost['load']> {
    if (adapterName === undefined) return this.load(id, source, options, onProgress)
    const adapter = await this.answer(() => requestAdapterNamed(adapterName))
    if ('failure' in adapter) return adapter
    return this.load(id, source, { ...options, device: adapter.value }, onProgress)
  }
}
