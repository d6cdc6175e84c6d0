/** A page whose keys and values are those of some ids, behind those of the nodes above it. */
export interface PageNode {
  readonly page: number
  /** The ids whose rows the page holds; fewer than it has room for only in a tail, which has no children. */
  readonly ids: readonly number[]
  readonly parent: Branch
  readonly children: Set<PageNode>
  readonly full: Map<string, PageNode>
  /** Sequences that read the page now. */
  users: number
  /** When it was last read, by the tree's own clock. */
  lastUsed: number
}

/** The top of a tree: what was computed behind one prefix at one strength. */
export interface TreeRoot {
  readonly children: Set<PageNode>
  /** The children with full pages, by their ids. */
  readonly full: Map<string, PageNode>
  /** Pages in the tree. */
  pages: number
}

/** Where a page can be put under. */
export type Branch = TreeRoot | PageNode

/** How much of some ids a branch's children hold. */
export interface PartialMatch {
  readonly node: PageNode
  /** Leading ids that are the same, at least one. */
  readonly length: number
}

const keyOf = (ids: readonly number[]) => ids.join(' ')

function sameBeginning(ids: readonly number[], node: PageNode, from: number, most: number): number {
  let length = 0
  while (length < most && length < node.ids.length && node.ids[length] === ids[from + length]) length++
  return length
}

/**
 * Pages of sequences, running and ended, by the ids they hold: a tree for each prefix and strength, with a page to a node.
 * Pages that no sequence reads are given up where others need room, the least recently used first and never before those
 * below them.
 */
export class PrefixTree {
  readonly #roots = new Map<unknown, Map<number, TreeRoot>>()
  /** Nodes that nobody reads and that have no children. */
  readonly #idle = new Set<PageNode>()
  #unused = 0
  #clock = 0

  /** Pages that no sequence reads: whoever reads a page reads those above it, so that all of these can be given up. */
  get unused(): number {
    return this.#unused
  }

  /** The time now: later than all before. */
  tick(): number {
    return ++this.#clock
  }

  /** The root of what was computed behind a prefix at a strength. */
  root(prefix: object | undefined, strength: number): TreeRoot {
    const byStrength = this.#roots.get(prefix) ?? new Map<number, TreeRoot>()
    this.#roots.set(prefix, byStrength)
    const root = byStrength.get(strength) ?? { children: new Set(), full: new Map(), pages: 0 }
    byStrength.set(strength, root)
    return root
  }

  /** All roots of a prefix. */
  rootsOf(prefix: object | undefined): readonly TreeRoot[] {
    return [...(this.#roots.get(prefix)?.values() ?? [])]
  }

  /** Forgets the roots of a prefix that have no pages. */
  prune(prefix: object | undefined): void {
    const byStrength = this.#roots.get(prefix)
    for (const [strength, { pages }] of byStrength ?? []) if (pages === 0) byStrength?.delete(strength)
    if (byStrength?.size === 0) this.#roots.delete(prefix)
  }

  /** The child that holds exactly these ids, if there is one. */
  child(branch: Branch, ids: readonly number[]): PageNode | undefined {
    return branch.full.get(keyOf(ids))
  }

  /** The child that begins with the most of `ids` from `from` on. @param most ids to compare at most */
  longest(branch: Branch, ids: readonly number[], from: number, most: number): PartialMatch | undefined {
    let best: PartialMatch | undefined
    for (const node of branch.children) {
      const length = sameBeginning(ids, node, from, most)
      if (length > (best?.length ?? 0)) best = { node, length }
      if (length === most) break
    }
    return best
  }

  /** Puts a page into the tree. @param isFull whether it can have children */
  add(root: TreeRoot, parent: Branch, page: number, ids: readonly number[], isFull: boolean): PageNode {
    const node: PageNode = {
      page,
      ids,
      parent,
      children: new Set(),
      full: new Map(),
      users: 0,
      lastUsed: this.tick(),
    }
    parent.children.add(node)
    if (isFull) parent.full.set(keyOf(ids), node)
    if ('page' in parent) this.#idle.delete(parent)
    this.#idle.add(node)
    root.pages++
    this.#unused++
    return node
  }

  /** A sequence reads a page from now on. */
  use(node: PageNode): void {
    if (node.users++ === 0) this.#unused--
    node.lastUsed = this.tick()
    this.#idle.delete(node)
  }

  /** A sequence reads a page no more. */
  release(node: PageNode): void {
    if (--node.users === 0) this.#unused++
    node.lastUsed = this.tick()
    this.#rest(node)
  }

  /** Takes a node without children out of the tree. */
  remove(root: TreeRoot, node: PageNode): void {
    const { parent } = node
    this.#idle.delete(node)
    parent.children.delete(node)
    if (parent.full.get(keyOf(node.ids)) === node) parent.full.delete(keyOf(node.ids))
    root.pages--
    if (node.users === 0) this.#unused--
    if ('page' in parent) this.#rest(parent)
  }

  /** The node that was not used for the longest, if any can be given up. */
  leastRecentlyUsed(): PageNode | undefined {
    let oldest: PageNode | undefined
    for (const node of this.#idle) if (!oldest || node.lastUsed < oldest.lastUsed) oldest = node
    return oldest
  }

  /** The root that a node is below. */
  rootOf(node: PageNode): TreeRoot {
    let branch: Branch = node
    while ('page' in branch) branch = branch.parent
    return branch
  }

  #rest(node: PageNode): void {
    if (node.users === 0 && node.children.size === 0) this.#idle.add(node)
  }
}
