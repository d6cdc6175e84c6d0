import type { Card } from '../../card.js'
import { type FoundCard, nvidiaCards } from './nvidia.js'
import { sysfsCards } from './sysfs.js'
import { HERE, type System } from './system.js'

/** What NVIDIA's own tools and `/sys` tell of the same card. */
function merged(told: FoundCard | undefined, seen: FoundCard | undefined): FoundCard[] {
  if (!told) {
    // The driver does not reach a card of NVIDIA's that only the bus knows: a container that was not given it.
    return seen && seen.vendor !== 'nvidia' ? [seen] : []
  }
  return [{ ...told, files: [...told.files, ...(seen?.files ?? [])] }]
}

/**
 * All GPUs of this machine that the system tells of, in the order of their PCI addresses. None where it tells of none,
 * as on systems other than Linux without NVIDIA's tools: WebGPU may have adapters all the same.
 */
export async function listCards(system: System = HERE): Promise<Card[]> {
  const [told, seen] = await Promise.all([
    nvidiaCards(system),
    system.platform === 'linux' ? sysfsCards(system) : [],
  ])
  const of = (cards: readonly FoundCard[], address: string) => cards.find(({ pci }) => pci === address)
  const addresses = [...new Set([...told, ...seen].map(({ pci }) => pci))].sort()
  return addresses
    .flatMap((address) => merged(of(told, address), of(seen, address)))
    .map((card, index) => ({ index, ...card }))
}
