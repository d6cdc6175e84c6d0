/** What Linux tells of graphics cards in `/sys`, whoever made them. */
import type { FoundCard } from './nvidia.js'
import { normalPci } from './pci.js'
import type { System } from './system.js'

const DEVICES = '/sys/bus/pci/devices'

/** By PCI vendor id. Others, such as the display of a server's board or of a virtual machine, compute nothing. */
const VENDORS = { '0x10de': 'nvidia', '0x1002': 'amd', '0x8086': 'intel' } as const
const MAKERS = { nvidia: 'NVIDIA', amd: 'AMD', intel: 'Intel' } as const

async function numberIn(system: System, path: string): Promise<number | undefined> {
  const text = await system.read(path)
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Microwatts of a sensor, as watts. */
async function power(system: System, folder: string): Promise<FoundCard['power']> {
  const [sensor] = await system.list(`${folder}/hwmon`)
  if (sensor === undefined) return undefined
  const path = `${folder}/hwmon/${sensor}`
  const [average, input, cap] = await Promise.all(
    ['power1_average', 'power1_input', 'power1_cap'].map((name) => numberIn(system, `${path}/${name}`)),
  )
  const draw = average ?? input
  return draw === undefined
    ? undefined
    : { draw: draw / 1e6, limit: cap === undefined ? undefined : cap / 1e6 }
}

async function readCard(system: System, address: string): Promise<FoundCard | undefined> {
  const folder = `${DEVICES}/${address}`
  const [kind, vendorId = '', device = '', nodes, product, total, used, busy, watts] = await Promise.all([
    system.read(`${folder}/class`),
    system.read(`${folder}/vendor`),
    system.read(`${folder}/device`),
    system.list(`${folder}/drm`),
    system.read(`${folder}/product_name`),
    numberIn(system, `${folder}/mem_info_vram_total`),
    numberIn(system, `${folder}/mem_info_vram_used`),
    numberIn(system, `${folder}/gpu_busy_percent`),
    power(system, folder),
  ])
  const vendor = VENDORS[vendorId as keyof typeof VENDORS]
  const pci = normalPci(address)
  // 0x03 is the class of displays.
  if (!kind?.startsWith('0x03') || !vendor || !pci) return undefined
  // What has no render node, or none that this container was given, computes nothing. NVIDIA's driver has files of its own.
  const given = await system.list('/dev/dri')
  if (vendor !== 'nvidia' && !nodes.some((name) => name.startsWith('renderD') && given.includes(name)))
    return undefined
  const files = nodes.filter((name) => /^(renderD|card)\d+$/.test(name)).map((name) => `/dev/dri/${name}`)
  return {
    name: product || `${MAKERS[vendor]} ${vendorId.slice(2)}:${device.slice(2)}`,
    vendor,
    pci,
    memory: total === undefined || used === undefined ? undefined : { total, used, free: total - used },
    load: busy === undefined ? undefined : busy / 100,
    power: watts,
    files,
    isDriverName: false,
  }
}

/** All graphics cards on the PCI bus that can compute. */
export async function sysfsCards(system: System): Promise<FoundCard[]> {
  const addresses = await system.list(DEVICES)
  const cards = await Promise.all(addresses.map((address) => readCard(system, address)))
  return cards.filter((card) => card !== undefined)
}
