import { PAGE_ROWS } from '../../../kernels/index.js'
import { type Branch, type PageNode, PrefixTree, type TreeRoot } from './prefix-tree.js'

/** What the bookkeeping needs to know of a prefix. */
export interface CachedPrefix {
  /** Rows, P. */
  readonly length: number
}

/** Moves rows between pages; what it is told is done in order, before anything that is computed later. */
export interface PageMemory<Prefix> {
  /** Copies the first rows of a page to another one. */
  copyRows(from: number, to: number, rows: number): void
  /** Copies rows of a prefix to the beginning of a page. */
  copyPrefix(prefix: Prefix, firstRow: number, rows: number, page: number): void
}

/** A page of a sequence. */
interface Entry {
  /** The page that the sequence reads and writes. */
  readonly page: number
  /** Its place in the tree, once it is full: with another page where somebody else was faster. */
  node: PageNode | undefined
}

/** The pages of a prefix that begin the tables of all its sequences: those that it fills. */
interface PrefixPages {
  readonly pages: readonly number[]
  users: number
  lastUsed: number
}

export interface OpenOptions {
  /** Whether nothing may be taken from the cache, because the output of every id is needed. */
  readonly fresh?: boolean
  /** Rows behind the prefix that there must be pages for. Default: those of the prompt and one more. */
  readonly rows?: number
}

/** The pages that a sequence holds: the same rows as its place in the engine. Only `PageCache` changes it. */
export interface Lease<Prefix> {
  readonly prefix: Prefix | undefined
  readonly strength: number
  /** The ids whose keys and values are in the pages, from position 0 on. */
  readonly ids: readonly number[]
  /** The page of each PAGE_ROWS rows, those of the prefix first. */
  readonly pages: readonly number[]
  /** Leading ids that were found in the cache when it was opened. */
  readonly cached: number
}

interface OwnLease<Prefix> extends Lease<Prefix> {
  readonly ids: number[]
  readonly pages: number[]
  cached: number
  readonly root: TreeRoot
  readonly prefixPages: PrefixPages | undefined
  readonly entries: Entry[]
}

/**
 * Which sequence holds which pages of the cache, and which ids lie there: nothing of the GPU. Pages are shared and
 * counted: a prefix's full pages by all its sequences, and every full page by those that begin alike. Where a
 * sequence parts from what is there within a page, its rows up to there are copied to a page of its own. What ended
 * sequences held stays until the room is needed.
 */
export class PageCache<Prefix extends CachedPrefix & object> {
  /** Pages in all. */
  readonly pages: number
  readonly #memory: PageMemory<Prefix>
  readonly #free: number[]
  readonly #tree = new PrefixTree()
  readonly #prefixes = new Map<Prefix, PrefixPages>()
  readonly #running = new Set<OwnLease<Prefix>>()

  constructor(pages: number, memory: PageMemory<Prefix>) {
    this.pages = pages
    this.#memory = memory
    this.#free = Array.from({ length: pages }, (_, page) => pages - 1 - page)
  }

  /** Pages that nobody holds and that hold nothing. */
  get free(): number {
    return this.#free.length
  }

  /**
   * Gives a sequence pages for its prompt and one row more, with as much of the prompt in them as the cache holds: at
   * least the last id is left to compute, because its output is needed.
   * @returns undefined where there are not enough pages now; nothing has changed then
   */
  open(
    prefix: Prefix | undefined,
    strength: number,
    ids: readonly number[],
    { fresh = false, rows = ids.length + 1 }: OpenOptions = {},
  ): Lease<Prefix> | undefined {
    const prefixPages = prefix && this.#usePrefix(prefix)
    if (prefix && !prefixPages) return undefined
    const root = this.#tree.root(prefix, strength)
    const lease: OwnLease<Prefix> = {
      prefix,
      strength,
      ids: [],
      pages: [...(prefixPages?.pages ?? [])],
      cached: 0,
      root,
      prefixPages,
      entries: [],
    }
    if (!fresh) this.#shareFullPages(lease, ids)
    // Nothing is copied, and nothing given up, for a sequence that cannot have its place yet.
    const missing = Math.ceil((rows + this.#restOf(prefix)) / PAGE_ROWS) - lease.entries.length
    if (missing > this.#obtainable) {
      this.close(lease)
      return undefined
    }
    if (!fresh) this.#copyPartialPage(lease, ids)
    lease.cached = lease.ids.length
    if (!this.grow(lease, rows)) {
      this.close(lease)
      return undefined
    }
    this.#running.add(lease)
    return lease
  }

  /**
   * Makes sure that there are pages for rows behind the prefix.
   * @returns false where there are not enough now; those that there were are kept
   */
  grow(lease: Lease<Prefix>, rows: number): boolean {
    const own = lease as OwnLease<Prefix>
    while (this.#roomOf(own) < rows) {
      const page = this.#take()
      if (page === undefined) return false
      this.#addPage(own, page)
    }
    return true
  }

  /** Records that the ids following those held already were computed into the pages. */
  append(lease: Lease<Prefix>, ids: readonly number[]): void {
    const own = lease as OwnLease<Prefix>
    for (const id of ids) own.ids.push(id)
    this.#publish(own)
  }

  /**
   * Takes a sequence's pages back. What they hold stays for others until the room is needed.
   * @param spoiled whether it must not be found again, because the numbers in it are wrong
   */
  close(lease: Lease<Prefix>, spoiled = false): void {
    const own = lease as OwnLease<Prefix>
    this.#running.delete(own)
    if (!spoiled) this.#keepTail(own)
    // From the end on, so that a page is given up after those below it.
    for (const { page, node } of own.entries.reverse()) {
      if (node) this.#tree.release(node)
      if (node?.page !== page) this.#free.push(page)
    }
    own.entries.length = 0
    if (own.prefixPages) this.#releasePrefix(own.prefixPages)
    if (spoiled) this.forget()
  }

  /** Forgets what no running sequence holds, for example because the weights changed. */
  forget(): void {
    while (this.#giveUp());
  }

  /** Forgets a prefix that is about to be freed; none of its sequences may be running. */
  release(prefix: Prefix): void {
    for (const root of this.#tree.rootsOf(prefix)) this.#forgetRoot(root)
    const pages = this.#prefixes.get(prefix)
    if (pages && pages.users === 0) this.#dropPrefix(prefix, pages)
    this.#tree.prune(prefix)
  }

  #forgetRoot(root: TreeRoot): void {
    const drop = (node: PageNode): void => {
      for (const child of node.children) drop(child)
      if (node.users > 0 || node.children.size > 0) return
      this.#tree.remove(root, node)
      this.#free.push(node.page)
    }
    for (const node of root.children) drop(node)
  }

  /** Pages that are free, or can be given up. */
  get #obtainable(): number {
    let pages = this.#free.length + this.#tree.unused
    for (const { users, pages: own } of this.#prefixes.values()) if (users === 0) pages += own.length
    return pages
  }

  /** Rows of the prefix that lie in the first page of the sequence itself. */
  #restOf(prefix: Prefix | undefined): number {
    return prefix ? prefix.length % PAGE_ROWS : 0
  }

  /** Ids that fit into the pages of the sequence itself. */
  #roomOf({ prefix, entries }: OwnLease<Prefix>): number {
    return Math.max(0, entries.length * PAGE_ROWS - this.#restOf(prefix))
  }

  /** Ids that the page of a number has room for. */
  #idsIn({ prefix }: OwnLease<Prefix>, index: number): number {
    return index === 0 ? PAGE_ROWS - this.#restOf(prefix) : PAGE_ROWS
  }

  /** Adds an empty page; the rest of the prefix is the beginning of the first. */
  #addPage(lease: OwnLease<Prefix>, page: number): void {
    const rest = this.#restOf(lease.prefix)
    if (lease.prefix && rest > 0 && lease.entries.length === 0) {
      this.#memory.copyPrefix(lease.prefix, lease.prefix.length - rest, rest, page)
    }
    this.#putPage(lease, page, undefined)
  }

  #putPage(lease: OwnLease<Prefix>, page: number, node: PageNode | undefined): void {
    lease.entries.push({ page, node })
    lease.pages.push(page)
  }

  #branchOf({ entries, root }: OwnLease<Prefix>, index: number): Branch | undefined {
    return index === 0 ? root : entries[index - 1]?.node
  }

  /** Shares the full pages that hold the beginning of a prompt. */
  #shareFullPages(lease: OwnLease<Prefix>, ids: readonly number[]): void {
    let branch: Branch = lease.root
    while (true) {
      const from = lease.ids.length
      const count = this.#idsIn(lease, lease.entries.length)
      // The last id is computed anew, in a page of the sequence's own.
      if (from + count > ids.length - 1) return
      const part = ids.slice(from, from + count)
      const node = this.#tree.child(branch, part)
      if (!node) return
      this.#tree.use(node)
      this.#putPage(lease, node.page, node)
      lease.ids.push(...part)
      branch = node
    }
  }

  /** Copies the rows of a page that begins as the rest of the prompt does, or takes it over where nobody else needs it. */
  #copyPartialPage(lease: OwnLease<Prefix>, ids: readonly number[]): void {
    const index = lease.entries.length
    const branch = this.#branchOf(lease, index)
    if (!branch) return
    const from = lease.ids.length
    const most = Math.min(this.#idsIn(lease, index), ids.length - 1 - from)
    const match = this.#tree.longest(branch, ids, from, most)
    const running = this.#longestRunning(branch, index, ids, from, most)
    const rows = (length: number) => length + (index === 0 ? this.#restOf(lease.prefix) : 0)
    if (running && running.length > (match?.length ?? 0)) {
      const page = this.#take()
      if (page === undefined) return
      this.#memory.copyRows(running.page, page, rows(running.length))
      this.#putPage(lease, page, undefined)
      lease.ids.push(...ids.slice(from, from + running.length))
      return
    }
    if (!match) return
    const { node, length } = match
    const isIdle = node.users === 0 && node.children.size === 0
    const whole = isIdle && length === node.ids.length
    // While its rows are copied it must not be given up for the page that they are copied to.
    this.#tree.use(node)
    const page = whole ? undefined : this.#take()
    this.#tree.release(node)
    if (page !== undefined) {
      this.#memory.copyRows(node.page, page, rows(length))
      this.#putPage(lease, page, undefined)
    } else if (isIdle) {
      this.#tree.remove(lease.root, node)
      this.#putPage(lease, node.page, undefined)
    } else {
      return
    }
    lease.ids.push(...ids.slice(from, from + length))
  }

  /** The running sequence whose last page, which is not in the tree yet, begins with the most of the ids. */
  #longestRunning(branch: Branch, index: number, ids: readonly number[], from: number, most: number) {
    let best: { page: number; length: number } | undefined
    for (const other of this.#running) {
      const entry = other.entries[index]
      if (!entry || entry.node || this.#branchOf(other, index) !== branch) continue
      let length = 0
      while (length < most && other.ids[from + length] === ids[from + length]) length++
      if (length > (best?.length ?? 0)) best = { page: entry.page, length }
    }
    return best
  }

  /** Puts pages that have become full into the tree, so that others find them. */
  #publish(lease: OwnLease<Prefix>): void {
    let first = 0
    for (const [index, entry] of lease.entries.entries()) {
      const count = this.#idsIn(lease, index)
      if (first + count > lease.ids.length) return
      if (!entry.node) {
        const branch = this.#branchOf(lease, index)
        if (!branch) return
        const ids = lease.ids.slice(first, first + count)
        entry.node =
          this.#tree.child(branch, ids) ?? this.#tree.add(lease.root, branch, entry.page, ids, true)
        this.#tree.use(entry.node)
      }
      first += count
    }
  }

  /** Leaves the last page in the tree, as far as it holds ids that are nowhere else. */
  #keepTail(lease: OwnLease<Prefix>): void {
    let first = 0
    for (const [index, entry] of lease.entries.entries()) {
      const count = this.#idsIn(lease, index)
      const ids = lease.ids.slice(first, first + count)
      first += count
      if (entry.node) continue
      const branch = this.#branchOf(lease, index)
      if (!branch || ids.length === 0) return
      if (this.#tree.longest(branch, ids, 0, ids.length)?.length === ids.length) return
      entry.node = this.#tree.add(lease.root, branch, entry.page, ids, false)
      this.#tree.use(entry.node)
      return
    }
  }

  /** A page that holds nothing, after giving up what was not used for the longest where that is needed. */
  #take(): number | undefined {
    if (this.#free.length === 0) this.#giveUp()
    return this.#free.pop()
  }

  /** Gives up what was not used for the longest: a page of the tree, or the pages of a prefix. @returns whether there was any */
  #giveUp(): boolean {
    const node = this.#tree.leastRecentlyUsed()
    const [prefix, pages] = this.#idlePrefix() ?? []
    if (prefix && pages && !(node && node.lastUsed < pages.lastUsed)) {
      this.#dropPrefix(prefix, pages)
      return true
    }
    if (!node) return false
    this.#tree.remove(this.#tree.rootOf(node), node)
    this.#free.push(node.page)
    return true
  }

  /** The prefix that was not used for the longest, of those behind which nothing is left. */
  #idlePrefix(): [Prefix, PrefixPages] | undefined {
    let oldest: [Prefix, PrefixPages] | undefined
    for (const entry of this.#prefixes) {
      const [prefix, { users, lastUsed, pages }] = entry
      const isUsed = users > 0 || this.#tree.rootsOf(prefix).some((root) => root.pages > 0)
      if (!isUsed && pages.length > 0 && (!oldest || lastUsed < oldest[1].lastUsed)) oldest = entry
    }
    return oldest
  }

  #dropPrefix(prefix: Prefix, { pages }: PrefixPages): void {
    this.#prefixes.delete(prefix)
    this.#free.push(...pages)
  }

  /** The pages that a prefix fills, for one more sequence; undefined where there is no room for them. */
  #usePrefix(prefix: Prefix): PrefixPages | undefined {
    const known = this.#prefixes.get(prefix)
    const use = (pages: PrefixPages) => {
      pages.users++
      pages.lastUsed = this.#tree.tick()
      return pages
    }
    if (known) return use(known)
    const pages: number[] = []
    for (let row = 0; row + PAGE_ROWS <= prefix.length; row += PAGE_ROWS) {
      const page = this.#take()
      if (page === undefined) {
        this.#free.push(...pages)
        return undefined
      }
      this.#memory.copyPrefix(prefix, row, PAGE_ROWS, page)
      pages.push(page)
    }
    const fresh: PrefixPages = { pages, users: 0, lastUsed: 0 }
    this.#prefixes.set(prefix, fresh)
    return use(fresh)
  }

  #releasePrefix(pages: PrefixPages): void {
    pages.users--
    pages.lastUsed = this.#tree.tick()
  }
}
