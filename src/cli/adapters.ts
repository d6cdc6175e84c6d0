/** How to come from the software adapter to a GPU. */
export const GPU_ADVICE =
  process.platform === 'linux'
    ? "To use a GPU, install its Vulkan driver and the Vulkan loader (libvulkan1), then see 'chatglm devices'."
    : "To use a GPU, update its driver, then see 'chatglm devices'."
