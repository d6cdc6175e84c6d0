/**
 * How Dawn is started in Node. f16 on NVIDIA cards is behind a toggle, though it works there; subgroup matrices are
 * an experiment of Dawn's; unquantized timestamps let kernels be timed.
 */
export const DAWN_TOGGLES: readonly string[] = [
  'enable-dawn-features=vulkan_enable_f16_on_nvidia,allow_unsafe_apis',
  'disable-dawn-features=timestamp_quantization',
]
