/** A GPU as the system lists it. */
export interface Card {
  /** From 0, in the order of PCI addresses; what `--gpu` and `loadModel({ gpu })` take. */
  readonly index: number
  readonly name: string
  /** Who made it, where that is known from the PCI ids. */
  readonly vendor: 'nvidia' | 'amd' | 'intel' | undefined
  /** `0000:1b:00.0` */
  readonly pci: string
  /** Bytes; undefined where the system does not tell. */
  readonly memory: { readonly total: number; readonly used: number; readonly free: number } | undefined
  /** How busy it is, from 0 to 1. */
  readonly load: number | undefined
  /** Watts. */
  readonly power: { readonly draw: number; readonly limit: number | undefined } | undefined
  /** Device files by which drivers reach this card and no other. */
  readonly files: readonly string[]
  /** Whether `name` is what Dawn calls it, too: only a driver's own name is. */
  readonly isDriverName: boolean
}
