import type { ErrorCode } from './codes.js'

/** What errors of some codes say for programs, as plain data that a worker can send. */
interface DetailsByCode {
  'option.invalid': {
    /** The option's name, `variants.decode` for one within another. */
    readonly option: string
    /** What it was given; anything but a string, number or boolean as text. */
    readonly value: string | number | boolean | null | undefined
    /** What is accepted. */
    readonly expected: string
  }
  'input.context-overflow': { readonly promptTokens: number; readonly available: number }
  'input.encoding': { readonly line: number }
  /** Offset in UTF-16 units from the beginning of the text, what was expected there, and what is there. */
  'input.json': { readonly position: number; readonly expected: string; readonly found: string }
  /** `index` is that of the message. */
  'input.message-invalid': { readonly index: number }
  /** Offset in UTF-16 units from the beginning of the text. */
  'input.python-literal': { readonly position: number }
  'input.role-unknown': { readonly index: number }
  'input.system-misplaced': { readonly index: number }
  /** `index` is the place in the prompt. */
  'input.token-invalid': { readonly index: number }
  /** An entry a file: its path and what is wrong with it. */
  'checkpoint.manifest-mismatch': {
    readonly mismatches: readonly { readonly path: string; readonly problem: string }[]
  }
  'checkpoint.not-the-file': { readonly file: string; readonly found: 'git-lfs-pointer' | 'web-page' }
  'checkpoint.not-finite': { readonly position: number }
  /** The missing file's path, and the tensors that the index places in it. */
  'checkpoint.shard-missing': { readonly shard: string; readonly tensors: readonly string[] }
  'checkpoint.tokenizer-invalid': {
    readonly file: string
    readonly expected: string
    readonly found: string
  }
  'adapter.limit': { readonly limit: string; readonly offered: number; readonly needed: number }
  'adapter.shader-refused': { readonly kernel: string }
  'device.out-of-memory': { readonly label: string; readonly byteLength: number }
  /** Updates that were taken, and the folder of the last complete checkpoint, if there is one. */
  'training.stopped': { readonly step: number; readonly checkpoint: string | undefined }
  'store.incomplete': { readonly item: string }
  'store.not-found': { readonly item: string }
  /** Bytes still to be written, and bytes that the browser still grants. */
  'store.quota': { readonly item: string; readonly needed: number; readonly available: number }
  'busy.output': { readonly folder: string }
  'busy.stored-item': { readonly item: string }
  'busy.waiting': { readonly maxWaiting: number }
}

/** The details of errors of a code; `undefined` for codes that have none. */
export type DetailsOf<Code extends ErrorCode> = Code extends keyof DetailsByCode
  ? DetailsByCode[Code]
  : undefined
