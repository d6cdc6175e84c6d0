/** Names of files that every file system takes, whatever the data calls them. */
import { createPortableSha256 } from './sha256.js'

/** Names that Windows keeps for devices, with and without an ending. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])(\.|$)/i
/** What Windows refuses in a name. */
const REFUSED = /[<>:"|?*\\/\p{Cc}]+/gu
/** What is no small letter, digit, space or harmless sign of ASCII; `%` begins what is escaped. */
const UNSAFE = /[^a-z0-9_.! #$&'()+,;=@[\]^`{}~-]+/gu
/** Windows drops them at the end of a name. */
const TAIL = /[. ]+$/
/** Bytes of a name: file systems take 255, and some programs add an ending while they write. */
const MOST_BYTES = 240
/** A longer name is cut, and `~` and this many digits of its SHA-256 follow. */
const HASH_DIGITS = 32

const utf8 = new TextEncoder()

function escaped(text: string): string {
  const digits = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0')
  return Array.from(utf8.encode(text), (byte) => `%${digits(byte)}`).join('')
}

/** A name without what `unsafe` matches, a tail that is dropped, the name of a device, and more than 240 bytes. */
function safeName(name: string, unsafe: RegExp): string {
  const plain = name.replace(unsafe, escaped).replace(TAIL, escaped)
  const whole = DEVICE.test(plain) ? escaped(plain[0]) + plain.slice(1) : plain
  if (utf8.encode(whole).byteLength <= MOST_BYTES) return whole
  let start = ''
  for (const character of whole) {
    if (utf8.encode(start + character).byteLength > MOST_BYTES - HASH_DIGITS - 1) break
    start += character
  }
  const hash = createPortableSha256()
  hash.update(utf8.encode(name))
  return `${start.replace(/%[\dA-F]?$/, '')}~${hash.digest().slice(0, HASH_DIGITS)}`
}

/**
 * The name of a file or folder of the browser's storage: in ASCII, without capitals, what is not safe escaped as in a URL.
 * Browsers hand names on to the system, which without a locale loses every other character, may not tell `A` from `a`, and
 * may be Windows. No two names become one.
 */
export function portableName(name: string): string {
  return safeName(name, UNSAFE)
}

/**
 * A path on a disk: as it is, unless some file system would refuse or change a part of it. What it gives stays as it is when
 * it is given again; who writes several files must look whether two became one.
 */
export function diskPath(path: string): string {
  return path
    .split('/')
    .map((name) => safeName(name, REFUSED))
    .join('/')
}

/** The first path that is another's on a disk which does not tell `A` from `a`; undefined where there is none. */
export function findClash(paths: Iterable<string>): string | undefined {
  const seen = new Set<string>()
  for (const path of paths) {
    const onDisk = diskPath(path).normalize('NFC').toLowerCase()
    if (seen.has(onDisk)) return path
    seen.add(onDisk)
  }
  return undefined
}
