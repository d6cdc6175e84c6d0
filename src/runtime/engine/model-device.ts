import type { Checkpoint } from '../../checkpoint/index.js'
import type { DeviceError } from '../../errors/index.js'
import type { AdapterInfo } from '../../gpu/index.js'
import type { AdapterHandle, ModelBase } from '../model/index.js'
import type { VariantChoices } from './variants/variants.js'

/** What an engine computes on, and what is there besides: all that a model needs of it but steps. */
export interface ModelDevice {
  readonly adapter: AdapterInfo
  /** Fulfilled when it is taken away, or was given back. */
  readonly lost: Promise<DeviceError>
  /** Which kernels are used where there are several, and why; those of other libraries are not told. */
  readonly variants: Partial<VariantChoices>
  /** Device and weights for training; undefined where they cannot be trained. */
  readonly base: ModelBase | undefined
  /**
   * Loads a prefix, or a LoRA adapter.
   * @throws `checkpoint.prefix-invalid`, `checkpoint.adapter-invalid` when there is none, or it was made for a model of
   *   another shape
   */
  loadAdapter(checkpoint: Checkpoint, signal?: AbortSignal): Promise<AdapterHandle>
  /** Gives the memory of an adapter back, which no sequence uses. */
  freeAdapter(adapter: AdapterHandle): Promise<void>
  /** Gives everything back. */
  dispose(): void
}
