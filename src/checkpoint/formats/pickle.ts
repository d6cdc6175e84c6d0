import { CheckpointError } from '../../errors/index.js'

/**
 * A reader of the pickles in torch checkpoints: a stack machine that knows the opcodes of plain data and calls
 * nothing but the functions it is given (https://docs.python.org/3/library/pickletools.html; the same idea as
 * `torch/_weights_only_unpickler.py`). Lists and tuples become arrays, dicts become Maps, None becomes null.
 */

/** A function or class that a pickle names. */
export class PickleGlobal {
  /**
   * @param name `module.name`
   * @param call what REDUCE does with it; absent where it only stands for itself, as a dtype does
   */
  constructor(
    readonly name: string,
    readonly call?: (args: readonly unknown[]) => NonNullable<unknown>,
  ) {}
}

export interface PickleOptions {
  /** What to call the pickle in messages. */
  readonly name: string
  /** The only globals that may occur, by `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>
  /** Gives the value of a persistent id, which torch uses for storages. */
  readonly persistentLoad: (id: unknown) => NonNullable<unknown>
}

const MARK = Symbol('mark')

/**
 * What a pickle may make. An opcode of one byte makes a dict of 200 bytes, so that the length of a pickle is no bound of
 * what it takes. A tensor takes seven of these and is remembered some twenty times.
 */
const MAX_MADE = 2 ** 19
const MAX_MEMO = 2 ** 20

/**
 * Reads a pickle of protocol 2 to 5.
 *
 * @throws `checkpoint.unsafe-pickle` for a global that is not allowed or an opcode beyond plain data
 * @throws `checkpoint.corrupt` for a stream that is cut, malformed or has values out of range
 */
export function readPickle(bytes: Uint8Array, options: PickleOptions): unknown {
  return new Unpickler(bytes, options).run()
}

class Unpickler {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #options: PickleOptions
  readonly #stack: unknown[] = []
  readonly #memo = new Map<number, unknown>()
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #position = 0
  #made = 0

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#options = options
  }

  run(): unknown {
    for (;;) {
      const start = this.#position
      const opcode = this.#bytes[this.#take(1)]!
      if (opcode === 0x2e) return this.#pop() // STOP
      if (!this.#structure(opcode) && !this.#scalar(opcode) && !this.#call(opcode)) {
        throw new CheckpointError(
          'checkpoint.unsafe-pickle',
          `${this.#options.name} uses the pickle opcode 0x${opcode.toString(16)} at byte ${start}, which tensors ` +
            'do not need. The file is refused because a pickle can run code; save the plain state dict.',
        )
      }
    }
  }

  /** Opcodes of containers, the memo and the stack. */
  #structure(opcode: number): boolean {
    switch (opcode) {
      case 0x80: // PROTO
        if (this.#uint(1) > 5) throw this.#corrupt('has an unknown protocol')
        return true
      case 0x95: // FRAME: only a hint for buffering
        this.#take(8)
        return true
      case 0x28:
        this.#stack.push(MARK)
        return true
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        this.#stack.push(this.#make([]))
        return true
      case 0x7d: // EMPTY_DICT
        this.#stack.push(this.#make(new Map()))
        return true
      case 0x74: // TUPLE
        this.#stack.push(this.#make(this.#popToMark()))
        return true
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#stack.push(this.#make(this.#popMany(opcode - 0x84)))
        return true
      case 0x61: // APPEND
        this.#append(this.#popMany(1))
        return true
      case 0x65: // APPENDS
        this.#append(this.#popToMark())
        return true
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2))
        return true
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark())
        return true
      case 0x71: // BINPUT
        this.#remember(this.#uint(1))
        return true
      case 0x72: // LONG_BINPUT
        this.#remember(this.#uint(4))
        return true
      case 0x94: // MEMOIZE
        this.#remember(this.#memo.size)
        return true
      case 0x68: // BINGET
        this.#stack.push(this.#recall(this.#uint(1)))
        return true
      case 0x6a: // LONG_BINGET
        this.#stack.push(this.#recall(this.#uint(4)))
        return true
      default:
        return false
    }
  }

  /** Opcodes of numbers, strings and constants. */
  #scalar(opcode: number): boolean {
    switch (opcode) {
      case 0x4e: // NONE
        this.#stack.push(null)
        return true
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        this.#stack.push(opcode === 0x88)
        return true
      case 0x4b: // BININT1
        this.#stack.push(this.#uint(1))
        return true
      case 0x4d: // BININT2
        this.#stack.push(this.#uint(2))
        return true
      case 0x4a: // BININT
        this.#stack.push(this.#view.getInt32(this.#take(4), true))
        return true
      case 0x8a: // LONG1
        this.#stack.push(this.#long(this.#uint(1)))
        return true
      case 0x47: // BINFLOAT, big-endian
        this.#stack.push(this.#view.getFloat64(this.#take(8), false))
        return true
      case 0x58: // BINUNICODE
        this.#stack.push(this.#string(this.#uint(4)))
        return true
      case 0x8c: // SHORT_BINUNICODE
        this.#stack.push(this.#string(this.#uint(1)))
        return true
      default:
        return false
    }
  }

  /** Opcodes that name, call or configure something. */
  #call(opcode: number): boolean {
    switch (opcode) {
      case 0x63: // GLOBAL: two lines
        this.#stack.push(this.#global(this.#line(), this.#line()))
        return true
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2)
        if (typeof module !== 'string' || typeof name !== 'string') throw this.#corrupt('names no global')
        this.#stack.push(this.#global(module, name))
        return true
      }
      case 0x51: // BINPERSID
        this.#stack.push(this.#options.persistentLoad(this.#pop()))
        return true
      case 0x52: {
        // REDUCE
        const [callable, args] = this.#popMany(2)
        const call = callable instanceof PickleGlobal ? callable.call : undefined
        if (call === undefined || !Array.isArray(args)) {
          throw new CheckpointError(
            'checkpoint.unsafe-pickle',
            `${this.#options.name} calls ${callable instanceof PickleGlobal ? callable.name : 'something that is no function'}. ` +
              'The file is refused because a pickle can run code; save the plain state dict.',
          )
        }
        this.#stack.push(this.#make(call(args)))
        return true
      }
      case 0x62: {
        // BUILD: torch gives a state dict the attribute _metadata, which holds no tensor
        const [object, state] = this.#popMany(2)
        if (!(object instanceof Map && state instanceof Map)) {
          throw new CheckpointError(
            'checkpoint.unsafe-pickle',
            `${this.#options.name} sets the state of an object other than a dict. ` +
              'The file is refused because a pickle can run code; save the plain state dict.',
          )
        }
        this.#stack.push(object)
        return true
      }
      default:
        return false
    }
  }

  #global(module: string, name: string): PickleGlobal {
    const path = `${module}.${name}`
    const found = this.#options.globals.get(path)
    if (found === undefined) {
      throw new CheckpointError(
        'checkpoint.unsafe-pickle',
        `${this.#options.name} names the Python global ${JSON.stringify(path.slice(0, 200))}, which tensors do not ` +
          'need. The file is refused because a pickle can run code; save the plain state dict.',
      )
    }
    return found
  }

  /** Reserves the next `count` bytes and gives where they begin. */
  #take(count: number): number {
    const start = this.#position
    if (count > this.#bytes.byteLength - start) throw this.#corrupt('ends in the middle')
    this.#position = start + count
    return start
  }

  #uint(bytes: 1 | 2 | 4): number {
    const at = this.#take(bytes)
    if (bytes === 1) return this.#view.getUint8(at)
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true)
  }

  /** A little-endian two's complement integer. */
  #long(length: number): number {
    const at = this.#take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!)
    const number = Number(BigInt.asIntN(length * 8, value))
    if (!Number.isSafeInteger(number)) throw this.#corrupt('has an integer beyond 2^53')
    return number
  }

  #string(length: number): string {
    const at = this.#take(length)
    return this.#decode(this.#bytes.subarray(at, at + length))
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#position)
    if (end < 0) throw this.#corrupt('ends in the middle')
    const line = this.#decode(this.#bytes.subarray(this.#position, end))
    this.#position = end + 1
    return line
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#text.decode(bytes)
    } catch {
      throw this.#corrupt('has a string that is no UTF-8')
    }
  }

  #pop(): unknown {
    const value = this.#stack.pop()
    if (value === undefined || value === MARK) throw this.#corrupt('takes more from its stack than is there')
    return value
  }

  #popMany(count: number): unknown[] {
    const values: unknown[] = []
    for (let i = 0; i < count; i++) values.push(this.#pop())
    return values.reverse()
  }

  #popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark < 0) throw this.#corrupt('takes more from its stack than is there')
    const values = this.#stack.splice(mark + 1)
    this.#stack.pop()
    return values
  }

  #top(): unknown {
    const value = this.#stack[this.#stack.length - 1]
    if (value === undefined || value === MARK) throw this.#corrupt('takes more from its stack than is there')
    return value
  }

  /** Counts what is about to be made. */
  #make<T>(value: T): T {
    if (++this.#made > MAX_MADE) throw this.#corrupt(`makes more than ${MAX_MADE} lists, dicts and tensors`)
    return value
  }

  #remember(key: number): void {
    if (this.#memo.size >= MAX_MEMO) throw this.#corrupt(`remembers more than ${MAX_MEMO} values`)
    this.#memo.set(key, this.#top())
  }

  #recall(key: number): unknown {
    const value = this.#memo.get(key)
    if (value === undefined) throw this.#corrupt('recalls what it has not stored')
    return value
  }

  #append(values: readonly unknown[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw this.#corrupt('appends to what is no list')
    for (const value of values) list.push(value)
  }

  #setItems(values: readonly unknown[]): void {
    const dict = this.#top()
    if (!(dict instanceof Map) || values.length % 2 !== 0)
      throw this.#corrupt('sets items of what is no dict')
    for (let i = 0; i < values.length; i += 2) dict.set(values[i], values[i + 1])
  }

  #corrupt(what: string): CheckpointError {
    return new CheckpointError(
      'checkpoint.corrupt',
      `${this.#options.name} ${what} (at byte ${this.#position}). Download it again.`,
    )
  }
}
