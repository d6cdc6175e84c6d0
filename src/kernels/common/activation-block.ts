/** Elements of a block of 8-bit activations, which share a scale: activation-block.wgsl. */
export const ACTIVATION_BLOCK = 32
