import { PAGE_ROWS } from '../../../kernels/index.js'
import type { AdapterHandle } from '../../model/index.js'
import type { Lease } from '../cache/page-cache.js'
import type { SequenceStart, Slot } from '../engine.js'
import type { SlotContents } from './slot-tables.js'

/** A slot as its engine sees it. */
export class SlotState implements Slot {
  readonly index: number
  readonly start: SequenceStart
  readonly lease: Lease<AdapterHandle>
  readonly cachedTokens: number
  /** What its tables are written from. */
  readonly contents: SlotContents
  /** Ids that came back, in order. */
  readonly generated: number[]
  /** Ids of the prompt that were submitted, those found in the cache included. */
  promptTokens: number
  /** Ids that the steps submitted so far sample. */
  samples: number
  /** Whether the place was given back: what steps under way still give means nothing. */
  closed = false

  constructor(
    index: number,
    start: SequenceStart,
    lease: Lease<AdapterHandle>,
    promptTokens: number,
    contents: SlotContents,
    generated: number[] = [],
  ) {
    this.index = index
    this.start = start
    this.lease = lease
    this.cachedTokens = lease.cached
    this.promptTokens = promptTokens
    this.contents = contents
    this.generated = generated
    this.samples = generated.length
  }

  /** How many of the likeliest ids come with each id. */
  get likeliest(): number {
    return this.start.likeliest ?? 0
  }

  get pendingTokens(): number {
    return this.start.ids.length - this.promptTokens
  }

  get exhausted(): boolean {
    return this.samples >= this.start.positionLimit - this.start.ids.length
  }

  /** Rows behind the prefix that the next step of one row needs pages for. */
  get nextRows(): number {
    return this.start.ids.length + this.samples
  }

  /** Pages that only the prefix is in. */
  get prefixPages(): number {
    return Math.floor((this.start.prefix?.length ?? 0) / PAGE_ROWS)
  }
}
