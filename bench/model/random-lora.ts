import {
  activationWidths,
  LAYER_PRODUCTS,
  type ModelConfig,
  type ProductRole,
  type StoredLora,
} from '../common/internals.js'

/** A LoRA adapter with random factors, small enough to leave the model one that works. */
export function randomLora(
  config: ModelConfig,
  { rank, roles }: { readonly rank: number; readonly roles: readonly ProductRole[] },
  seed: number,
): StoredLora {
  const widths = activationWidths(config)
  const operations = LAYER_PRODUCTS.filter(({ weight }) => roles.includes(weight))
  let state = seed
  const numbers = (count: number, size: number) =>
    Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      return (state / 2 ** 31) * size
    })
  const factors = Array.from({ length: config.layers }, (_, layer) =>
    operations.map(({ weight: role, x, y }) => ({
      layer,
      role,
      rank,
      inFeatures: widths[x],
      outFeatures: widths[y],
      scale: 4,
      names: { A: 'a', B: 'b' },
    })),
  ).flat()
  return {
    name: `LoRA ${rank}, ${roles.join(' + ')}`,
    factors,
    read: async ({ inFeatures, outFeatures }) => ({
      a: numbers(rank * inFeatures, 1 / Math.sqrt(inFeatures)),
      b: numbers(outFeatures * rank, 0.01),
    }),
  }
}
