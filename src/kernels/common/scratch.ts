/** Bindings begin at multiples of this on every adapter. */
const BINDING_ALIGNMENT = 256

/** Where the parts of a scratch buffer lie. */
export interface ScratchLayout<Name extends string> {
  /** Of the whole buffer. */
  readonly bytes: number
  ranges(scratch: GPUBuffer): Readonly<Record<Name, GPUBufferBinding>>
}

/**
 * Lays parts out one after the other in a scratch buffer.
 * @param sizes of the parts, in bytes
 */
export function scratchLayout<Name extends string>(
  sizes: Readonly<Record<Name, number>>,
): ScratchLayout<Name> {
  let bytes = 0
  const parts = Object.entries<number>(sizes).map(([name, size]) => {
    const offset = bytes
    bytes += Math.ceil(size / BINDING_ALIGNMENT) * BINDING_ALIGNMENT
    return [name, offset, size] as const
  })
  return {
    bytes,
    ranges: (buffer) =>
      Object.fromEntries(parts.map(([name, offset, size]) => [name, { buffer, offset, size }])) as Record<
        Name,
        GPUBufferBinding
      >,
  }
}
