/** How often something is held: whole on each GPU, or in equal parts on all of them. */
export interface StageMemory {
  /** `0` is data-parallel training with everything on each GPU; 1 to 3 are the stages of ZeRO. */
  readonly stage: 0 | 1 | 2 | 3
  /** Bytes on each GPU. */
  readonly weights: number
  readonly gradients: number
  readonly optimizer: number
  readonly total: number
}

/** Bytes of a number in mixed precision: weight and gradient in 16 bits; AdamW's copy of the weight and two moments in 32. */
const WEIGHT = 2
const GRADIENT = 2
const OPTIMIZER = 12

/**
 * The usual sum of what training takes without activations, in mixed precision with AdamW: 16 bytes for each number that is
 * trained, 2 for each that is not; and what of it the stages of ZeRO (Rajbhandari et al., 2020) hold in parts.
 * @param weights of the whole model
 * @param trained numbers that are trained, among the weights or beside them
 * @param frozenBytes of weights that are not trained; 2 for each in 16 bits, 0.5625 in 4 bits with groups of 64
 */
export function zeroStages(
  { weights, trained, frozenBytes = WEIGHT }: { weights: number; trained: number; frozenBytes?: number },
  gpus: number,
): StageMemory[] {
  const frozen = trained >= weights ? 0 : weights * frozenBytes
  return ([0, 1, 2, 3] as const).map((stage) => {
    const share = (from: number) => (stage >= from ? gpus : 1)
    const memory = {
      weights: (frozen + WEIGHT * trained) / share(3),
      gradients: (GRADIENT * trained) / share(2),
      optimizer: (OPTIMIZER * trained) / share(1),
    }
    return { stage, ...memory, total: memory.weights + memory.gradients + memory.optimizer }
  })
}
