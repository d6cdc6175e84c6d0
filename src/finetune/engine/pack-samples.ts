/**
 * Deals samples out in their order, as many to a pack as fit together.
 * @param maxTokens of a pack; no sample is longer
 */
export function packSamples<Sample extends { readonly ids: readonly number[] }>(
  samples: readonly Sample[],
  maxTokens: number,
): Sample[][] {
  const packs: Sample[][] = []
  let room = 0
  for (const sample of samples) {
    const { length } = sample.ids
    if (length > room) {
      packs.push([])
      room = maxTokens
    }
    packs[packs.length - 1].push(sample)
    room -= length
  }
  return packs
}
