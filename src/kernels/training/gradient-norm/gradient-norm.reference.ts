/**
 * The global norm of gradients in float64, and the scale that limits it, as `torch.nn.utils.clip_grad_norm_`:
 * min(1, maxNorm / (norm + 1e-6)).
 */
export function gradientNormReference(
  gradients: readonly ArrayLike<number>[],
  maxNorm: number | undefined,
): { norm: number; scale: number } {
  let squares = 0
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) squares += gradient[i] ** 2
  const norm = Math.sqrt(squares)
  return { norm, scale: maxNorm === undefined ? 1 : Math.min(1, maxNorm / (norm + 1e-6)) }
}
