import { describe, expect, it } from 'vitest'
import { listCards } from './list-cards.js'
import { parseNvidiaSmi } from './nvidia.js'
import { normalPci } from './pci.js'
import { systemOf, TWO_H200 } from './testing.js'

const MIB = 2 ** 20

/** A graphics card in `/sys`. */
function onBus(address: string, files: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries({ class: '0x030000\n', ...files })
  return Object.fromEntries(entries.map(([name, text]) => [`/sys/bus/pci/devices/${address}/${name}`, text]))
}

describe('the list of cards', () => {
  it('has what nvidia-smi tells, and the device file that the driver names', async () => {
    const [first, second] = await listCards(TWO_H200)
    expect(first).toEqual({
      index: 0,
      name: 'NVIDIA H200',
      vendor: 'nvidia',
      pci: '0000:1b:00.0',
      memory: { total: 143_771 * MIB, used: 3900 * MIB, free: 139_871 * MIB },
      load: 0.97,
      power: { draw: 412.53, limit: 700 },
      files: ['/dev/nvidia1'],
      isDriverName: true,
    })
    expect(second).toMatchObject({ index: 1, pci: '0000:43:00.0', files: ['/dev/nvidia0'], load: 0 })
  })

  it('takes files in the order of addresses where the driver does not say whose they are', async () => {
    const system = {
      ...TWO_H200,
      list: async (path: string) => (path === '/dev' ? ['nvidia5', 'nvidia3'] : []),
    }
    expect((await listCards(system)).map(({ files }) => files)).toEqual([['/dev/nvidia3'], ['/dev/nvidia5']])
  })

  it('needs no nvidia-smi: the driver tells names; cards whose file a container lacks are left out', async () => {
    const run = async () => undefined
    const list = async (path: string) => (path === '/dev' ? ['nvidia0'] : TWO_H200.list(path))
    const cards = await listCards({ ...TWO_H200, run, list })
    expect(cards).toHaveLength(1)
    expect(cards[0]).toMatchObject({ name: 'NVIDIA H200', pci: '0000:43:00.0', memory: undefined })
  })

  it('has cards of AMD and Intel by /sys, and not the display of the board', async () => {
    const amd = { vendor: '0x1002', device: '0x744c', 'drm/card1/dev': '', 'drm/renderD128/dev': '' }
    const system = systemOf({
      ...onBus('0000:03:00.0', {
        ...amd,
        mem_info_vram_total: '25753026560',
        mem_info_vram_used: '1000000000',
        gpu_busy_percent: '42',
        'hwmon/hwmon3/power1_average': '55000000',
        'hwmon/hwmon3/power1_cap': '303000000',
      }),
      ...onBus('0000:00:02.0', { vendor: '0x8086', device: '0x56a0', 'drm/renderD129/dev': '' }),
      '/dev/dri/renderD128': '',
      '/dev/dri/renderD129': '',
      // Of this one a container has no file.
      ...onBus('0000:09:00.0', { vendor: '0x1002', device: '0x744c', 'drm/renderD130/dev': '' }),
      ...onBus('0000:07:00.0', { vendor: '0x1a03', device: '0x2000', 'drm/card0/dev': '' }),
    })
    const [intel, radeon, ...others] = await listCards(system)
    expect(others).toEqual([])
    expect(intel).toMatchObject({ index: 0, name: 'Intel 8086:56a0', files: ['/dev/dri/renderD129'] })
    expect(radeon).toMatchObject({
      index: 1,
      name: 'AMD 1002:744c',
      vendor: 'amd',
      memory: { total: 25_753_026_560, used: 1e9, free: 24_753_026_560 },
      load: 0.42,
      power: { draw: 55, limit: 303 },
      isDriverName: false,
    })
    expect(radeon.files).toEqual(['/dev/dri/card1', '/dev/dri/renderD128'])
  })

  it('leaves out a card of NVIDIA that its driver does not reach, and adds the files of one it does', async () => {
    const bus = (address: string, node: string) =>
      onBus(address, { vendor: '0x10de', device: '0x2335', [`drm/${node}/dev`]: '' })
    const { list, read } = systemOf({
      ...bus('0000:1b:00.0', 'renderD128'),
      ...bus('0000:99:00.0', 'renderD130'),
    })
    const cards = await listCards({
      ...TWO_H200,
      list: async (path) => [...(await TWO_H200.list(path)), ...(await list(path))],
      read: async (path) => (await TWO_H200.read(path)) ?? read(path),
    })
    expect(cards.map(({ files }) => files)).toEqual([
      ['/dev/nvidia1', '/dev/dri/renderD128'],
      ['/dev/nvidia0'],
    ])
  })

  it('is empty where the system tells of none, and where nvidia-smi fails', async () => {
    expect(await listCards(systemOf({}))).toEqual([])
    const failing = systemOf({}, { 'nvidia-smi': new Error("couldn't communicate with the NVIDIA driver") })
    expect(await listCards(failing)).toEqual([])
    expect(await listCards(systemOf({}, {}, 'darwin'))).toEqual([])
  })
})

describe('what nvidia-smi prints', () => {
  it('may lack figures', () => {
    const [card] = parseNvidiaSmi('NVIDIA GB10, 0000000F:01:00.0, [N/A], [N/A], [N/A], 3, [N/A], [N/A]\n')
    expect(card).toMatchObject({ pci: '000f:01:00.0', memory: undefined, load: 0.03, power: undefined })
  })

  it('may be anything: what is no card is left out', () => {
    expect(parseNvidiaSmi('No devices were found\n\n, , ,\nNVIDIA-SMI has failed, because')).toEqual([])
  })

  it('has addresses of more than four digits', () => {
    expect(normalPci('00010000:1B:00.0')).toBe('10000:1b:00.0')
    expect(normalPci('1b:00.0')).toBeUndefined()
  })
})
