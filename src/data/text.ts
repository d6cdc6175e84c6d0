import { InputError, invalidOption } from '../errors/index.js'
import { bytes as bytesSchema, checkArgument, text as textSchema } from '../schema/index.js'

/**
 * How text is written as bytes. It is never guessed: UTF-8 unless the caller says otherwise. GB18030 holds GBK and
 * GB2312, as Excel and older programs on a Chinese Windows write them.
 */
export const ENCODINGS = ['utf-8', 'gb18030'] as const
export type TextEncodingName = (typeof ENCODINGS)[number]

const NEWLINE = 0x0a

/**
 * Makes text of bytes that come in pieces. A byte order mark at the beginning is left out; anything that is not text
 * in the encoding is refused.
 */
export class TextReader {
  readonly #name: string
  readonly #encoding: TextEncodingName
  readonly #decoder: TextDecoder
  /** The line that the next byte belongs to. */
  #line = 1
  #begun = false

  /**
   * @param name what to call the text in messages
   * @throws `option.invalid` for another encoding
   */
  constructor(name: string, encoding: TextEncodingName = 'utf-8') {
    if (!ENCODINGS.includes(encoding)) throw invalidOption('encoding', encoding, ENCODINGS.join(' or '))
    this.#name = name
    this.#encoding = encoding
    this.#decoder = decoderOf(encoding)
  }

  /**
   * The text of the next bytes; a character that they cut comes with the next ones.
   * @throws `input.encoding` naming the line
   */
  push(bytes: Uint8Array): string {
    // No character of either encoding has the byte of a line break within it. So a whole line is text or is not, whatever
    // stands around it, and the line of a mistake is found without decoding from the beginning.
    const first = bytes.indexOf(NEWLINE) + 1
    const last = bytes.lastIndexOf(NEWLINE) + 1
    let text = this.#decode(bytes.subarray(0, first))
    this.#line += first > 0 ? 1 : 0
    const lines = bytes.subarray(first, last)
    const decoded = attempt(this.#decoder, lines)
    if (decoded === undefined) this.#refuse(this.#line + firstWrongLine(lines, this.#encoding))
    for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) this.#line++
    text += decoded + this.#decode(bytes.subarray(last))
    // The decoder of UTF-8 leaves the mark out itself.
    if (!this.#begun && text.startsWith('\ufeff')) text = text.slice(1)
    this.#begun ||= text !== ''
    return text
  }

  /** @throws `input.encoding` where the text ended within a character */
  end(): void {
    try {
      this.#decoder.decode()
    } catch {
      this.#refuse(this.#line)
    }
  }

  #decode(bytes: Uint8Array): string {
    return attempt(this.#decoder, bytes) ?? this.#refuse(this.#line)
  }

  #refuse(line: number): never {
    const others =
      this.#encoding === 'utf-8'
        ? 'Save the file as UTF-8, or give its encoding: gb18030 for GBK and GB18030.'
        : 'Leave the encoding out if the file is UTF-8.'
    throw new InputError(
      'input.encoding',
      `${this.#name}, line ${line}: the bytes are no ${this.#encoding.toUpperCase()} text. ${others}`,
      { details: { line } },
    )
  }
}

const decoderOf = (encoding: TextEncodingName) => new TextDecoder(encoding, { fatal: true })

function attempt(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes, { stream: true })
  } catch {
    return undefined
  }
}

/** The index of the first of whole lines that is no text. */
function firstWrongLine(lines: Uint8Array, encoding: TextEncodingName): number {
  let start = 0
  for (let index = 0; start < lines.length; index++) {
    const end = lines.indexOf(NEWLINE, start) + 1
    if (attempt(decoderOf(encoding), lines.subarray(start, end)) === undefined) return index
    start = end
  }
  return 0
}

/**
 * The text of a whole file or pipe: UTF-8 unless another encoding is named, without its byte order mark.
 * @param name what to call it in messages
 * @throws `input.encoding` naming the line, `option.invalid` for another encoding
 */
export function decodeText(bytes: Uint8Array, name: string, encoding?: TextEncodingName): string {
  checkArgument('bytes', bytesSchema, bytes)
  checkArgument('name', textSchema, name)
  const reader = new TextReader(name, encoding)
  const text = reader.push(bytes)
  reader.end()
  return text
}
