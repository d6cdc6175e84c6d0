import { tooManyWaiting } from '../errors/index.js'

/** Something with room for so many sequences at once. */
interface Room<Item> {
  readonly item: Item
  taken: number
}

interface Waiting<Item> {
  /** Told which one, or why there is none. */
  readonly settle: (item: Item | Error) => void
}

/**
 * One queue before several models: who comes first gets the next free place, on the model where most are free. A model
 * that is lost has no places any more.
 */
export class Places<Item> {
  readonly #rooms: Room<Item>[]
  readonly #each: number
  readonly #maxWaiting: number
  readonly #waiting: Waiting<Item>[] = []
  #end: Error | undefined

  /** @param each places of one model */
  constructor(items: readonly Item[], each: number, maxWaiting: number) {
    this.#rooms = items.map((item) => ({ item, taken: 0 }))
    this.#each = each
    this.#maxWaiting = maxWaiting
  }

  /** Models that are not lost. */
  get items(): readonly Item[] {
    return this.#rooms.map(({ item }) => item)
  }

  get taken(): number {
    return this.#rooms.reduce((sum, { taken }) => sum + taken, 0)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Waits for a place, which `leave` gives back.
   * @throws `busy.waiting` where too many wait already, the reason of the end, that of the signal
   */
  async take(signal?: AbortSignal): Promise<Item> {
    signal?.throwIfAborted()
    if (this.#end) throw this.#end
    const room = this.#free()
    if (room) {
      room.taken++
      return room.item
    }
    if (this.#waiting.length >= this.#maxWaiting) throw tooManyWaiting(this.#maxWaiting)
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        waiting.settle(signal?.reason)
      }
      const waiting: Waiting<Item> = {
        settle: (item) => {
          signal?.removeEventListener('abort', stop)
          if (this.#isItem(item)) resolve(item)
          else reject(item)
        },
      }
      signal?.addEventListener('abort', stop)
      this.#waiting.push(waiting)
    })
  }

  leave(item: Item): void {
    const room = this.#rooms.find((room) => room.item === item)
    if (room) room.taken--
    this.#serve()
  }

  /** A model that takes no more. @param reason what those wait for is told where it was the last one */
  remove(item: Item, reason: Error): void {
    const at = this.#rooms.findIndex((room) => room.item === item)
    if (at >= 0) this.#rooms.splice(at, 1)
    if (this.#rooms.length === 0) this.close(reason)
  }

  /** Lets all fail who wait now or come later. */
  close(reason: Error): void {
    this.#end ??= reason
    for (const { settle } of this.#waiting.splice(0)) settle(this.#end)
  }

  #isItem(item: Item | Error): item is Item {
    return this.#rooms.some((room) => room.item === item)
  }

  #free(): Room<Item> | undefined {
    const free = this.#rooms.filter(({ taken }) => taken < this.#each)
    return free.reduce<Room<Item> | undefined>(
      (best, room) => (best && best.taken <= room.taken ? best : room),
      undefined,
    )
  }

  #serve(): void {
    for (let room = this.#free(); room && this.#waiting.length > 0; room = this.#free()) {
      room.taken++
      this.#waiting.shift()?.settle(room.item)
    }
  }
}
