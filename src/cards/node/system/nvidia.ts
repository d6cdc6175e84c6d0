/** NVIDIA's cards: by `nvidia-smi` where it is, else by what the driver shows in `/proc`. */
import type { Card } from '../../card.js'
import { normalPci } from './pci.js'
import type { System } from './system.js'

/** What is told of a card, before it has a number. */
export type FoundCard = Omit<Card, 'index'>

const FIELDS = [
  'name',
  'pci.bus_id',
  'memory.total',
  'memory.used',
  'memory.free',
  'utilization.gpu',
  'power.draw',
  'power.limit',
] as const

const MIB = 2 ** 20

/** `[N/A]`, `[Not Supported]` and the like are no numbers. */
function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[\d.]+$/.test(text) ? Number(text) : undefined
}

/** The lines of `nvidia-smi --query-gpu=... --format=csv,noheader,nounits`. Lines that are no cards are left out. */
export function parseNvidiaSmi(output: string): Omit<FoundCard, 'files'>[] {
  return output.split('\n').flatMap((line) => {
    const values = line.split(',').map((value) => value.trim())
    const of = Object.fromEntries(FIELDS.map((name, at) => [name, values[at]]))
    const pci = normalPci(of['pci.bus_id'])
    if (values.length !== FIELDS.length || pci === undefined) return []
    const [total, used, free] = ['memory.total', 'memory.used', 'memory.free'].map((name) =>
      numberOf(of[name]),
    )
    const percent = numberOf(of['utilization.gpu'])
    const draw = numberOf(of['power.draw'])
    return [
      {
        name: of.name,
        vendor: 'nvidia' as const,
        pci,
        memory:
          total === undefined || used === undefined
            ? undefined
            : { total: total * MIB, used: used * MIB, free: (free ?? total - used) * MIB },
        load: percent === undefined ? undefined : percent / 100,
        power: draw === undefined ? undefined : { draw, limit: numberOf(of['power.limit']) },
        isDriverName: true,
      },
    ]
  })
}

interface DriverEntry {
  readonly pci: string
  readonly name: string
  readonly minor: number
}

const DRIVER_FOLDER = '/proc/driver/nvidia/gpus'

/** `/proc/driver/nvidia/gpus/<address>/information`: the name, and the number of the device file. */
async function driverEntries(system: System): Promise<DriverEntry[]> {
  const folders = await system.list(DRIVER_FOLDER)
  const entries = await Promise.all(
    folders.map(async (folder) => {
      const text = (await system.read(`${DRIVER_FOLDER}/${folder}/information`)) ?? ''
      const name = /^Model:\s*(.+)$/m.exec(text)?.[1].trim()
      const minor = /^Device Minor:\s*(\d+)/m.exec(text)?.[1]
      const pci = normalPci(folder)
      return pci && name && minor !== undefined ? [{ pci, name, minor: Number(minor) }] : []
    }),
  )
  return entries.flat()
}

/** The numbers of the device files `/dev/nvidia<number>`, from the lowest. A container often has some of them only. */
async function deviceFiles(system: System): Promise<number[]> {
  const names = await system.list('/dev')
  return names
    .flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

/** NVIDIA's cards that this process can reach. */
export async function nvidiaCards(system: System): Promise<FoundCard[]> {
  const [entries, minors, output] = await Promise.all([
    driverEntries(system),
    deviceFiles(system),
    system
      .run('nvidia-smi', [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'])
      // Without a driver it fails; then there is no card to tell of.
      .catch(() => undefined),
  ])
  const told = parseNvidiaSmi(output ?? '').sort((a, b) => a.pci.localeCompare(b.pci))
  const fileOf = (minor: number | undefined) => (minor === undefined ? [] : [`/dev/nvidia${minor}`])
  if (told.length > 0) {
    return told.map((card, at) => {
      const entry = entries.find(({ pci }) => pci === card.pci)
      // Where the driver does not say which file is whose, both come in the order of the addresses.
      const minor = entry?.minor ?? (minors.length === told.length ? minors[at] : undefined)
      return { ...card, files: fileOf(minor) }
    })
  }
  return entries
    .filter(({ minor }) => system.platform !== 'linux' || minors.includes(minor))
    .map(({ pci, name, minor }) => ({
      name: name.startsWith('NVIDIA') ? name : `NVIDIA ${name}`,
      vendor: 'nvidia',
      pci,
      memory: undefined,
      load: undefined,
      power: undefined,
      files: fileOf(minor),
      isDriverName: true,
    }))
}
