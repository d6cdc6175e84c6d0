import type { Random } from '../../tools/tiny/random.js'

/** Bytes at which readers of binary files go wrong: signs, ends of ranges, brackets, opcodes of pickles. */
const BYTES = [0, 1, 0x28, 0x2e, 0x5b, 0x7b, 0x7f, 0x80, 0xff]
/** The longest part that is repeated, and how often at most. */
const MAX_PART = 64
const MAX_REPEATS = 64

/** Every beginning of every input, the empty one and the whole included. */
export function truncations(inputs: readonly Uint8Array[]): Uint8Array[] {
  return inputs.flatMap((input) =>
    Array.from({ length: input.byteLength + 1 }, (_, end) => input.subarray(0, end)),
  )
}

/**
 * An input with one to six changes: bytes replaced, parts left out, repeated or taken from another input, words of the
 * format put in, the end cut off.
 *
 * @param words what means something in the format
 */
export function mutate(
  inputs: readonly Uint8Array[],
  words: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes = random.pick(inputs)
  for (let left = random.integer(1, 6); left > 0; left--) bytes = change(bytes, inputs, words, random)
  return bytes
}

function change(
  bytes: Uint8Array,
  inputs: readonly Uint8Array[],
  words: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  const at = random.integer(0, bytes.byteLength)
  const end = Math.min(bytes.byteLength, at + random.integer(1, MAX_PART))
  const part = bytes.subarray(at, end)
  switch (random.integer(0, 7)) {
    case 0:
      return join(bytes.subarray(0, at), Uint8Array.of(random.integer(0, 255)), bytes.subarray(at + 1))
    case 1:
      return join(bytes.subarray(0, at), Uint8Array.of(random.pick(BYTES)), bytes.subarray(at + 1))
    case 2:
      return join(bytes.subarray(0, at), bytes.subarray(end))
    case 3:
      return join(
        bytes.subarray(0, at),
        ...Array.from({ length: random.integer(2, MAX_REPEATS) }, () => part),
        bytes.subarray(end),
      )
    case 4:
      return bytes.subarray(0, at)
    case 5: {
      const other = random.pick(inputs)
      return join(bytes.subarray(0, at), other.subarray(random.integer(0, other.byteLength)))
    }
    case 6: {
      const bit = bytes.slice()
      if (at < bit.byteLength) bit[at] ^= 1 << random.integer(0, 7)
      return bit
    }
    default:
      return words.length === 0
        ? bytes
        : join(bytes.subarray(0, at), random.pick(words), bytes.subarray(random.chance(0.5) ? at : end))
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}
