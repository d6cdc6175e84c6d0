import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Card } from '../card.js'
import { chooseCards, hidingLauncher, visibleCards } from './choose-cards.js'
import { listCards } from './system/list-cards.js'
import { HERE } from './system/system.js'
import { systemOf, TWO_H200 } from './system/testing.js'

/** A machine on which namespaces can be made, and one where root alone could. */
const root = systemOf({}, { unshare: '' })
const guest = systemOf({}, { unshare: new Error('unshare: unshare failed: Operation not permitted') })

const cardOf = (index: number, name: string, more: Partial<Card> = {}): Card => ({
  index,
  name,
  vendor: 'nvidia',
  pci: `0000:0${index}:00.0`,
  memory: undefined,
  load: undefined,
  power: undefined,
  files: [`/dev/nvidia${index}`],
  isDriverName: true,
  ...more,
})

const from = (all: readonly Card[], visible = all) => ({ all, visible })

describe('choosing cards', () => {
  it('gives equal cards processes that do not see the other one', async () => {
    const cards = await listCards(TWO_H200)
    const [first, second] = await chooseCards([0, 1], 'auto', from(cards), root)
    expect(first).toMatchObject({ label: 'GPU 0 (NVIDIA H200)', device: 'auto', adapterName: undefined })
    // By PCI address the first card has the device file nvidia1.
    expect(first.launcher.slice(-2)).toEqual(['/dev/nvidia0', '--'])
    expect(second.launcher.slice(-2)).toEqual(['/dev/nvidia1', '--'])
  })

  it('takes cards of different names by their names', async () => {
    const cards = [cardOf(0, 'NVIDIA A100'), cardOf(1, 'NVIDIA H200')]
    const [second] = await chooseCards([1], 'auto', from(cards), guest)
    expect(second).toMatchObject({ adapterName: 'NVIDIA H200', launcher: [] })
  })

  it('does not trust a name that is part of another one, nor names that are not the driver’s', async () => {
    const cards = [cardOf(0, 'NVIDIA RTX 4090'), cardOf(1, 'NVIDIA RTX 4090 D')]
    const [first, second] = await chooseCards([0, 1], 'auto', from(cards), root)
    expect(first.launcher).toContain('/dev/nvidia1')
    expect(second.adapterName).toBe('NVIDIA RTX 4090 D')
    const guessed = [cardOf(0, 'NVIDIA H200'), cardOf(1, 'AMD 1002:744c', { isDriverName: false })]
    expect((await chooseCards([0], 'auto', from(guessed), root))[0].launcher).toContain('/dev/nvidia1')
  })

  it('needs nothing for the only card', async () => {
    const [only] = await chooseCards([0], 'auto', from([cardOf(0, 'NVIDIA H200')]), guest)
    expect(only).toMatchObject({ adapterName: undefined, launcher: [] })
  })

  it('says why equal cards cannot be told apart', async () => {
    const cards = [cardOf(0, 'NVIDIA H200'), cardOf(1, 'NVIDIA H200')]
    const failure = { code: 'adapter.card-hidden' }
    await expect(chooseCards([1], 'auto', from(cards), guest)).rejects.toMatchObject(failure)
    await expect(chooseCards([1], 'auto', from(cards), guest)).rejects.toThrow('Operation not permitted')
    await expect(chooseCards([1], 'auto', from(cards), systemOf({}))).rejects.toThrow('no unshare')
    const windows = systemOf({}, {}, 'win32')
    await expect(chooseCards([1], 'auto', from(cards), windows)).rejects.toThrow('this is win32')
    const nameless = [cardOf(0, 'NVIDIA H200', { files: [] }), cardOf(1, 'NVIDIA H200')]
    await expect(chooseCards([1], 'auto', from(nameless), root)).rejects.toThrow('which device files')
  })

  it('refuses a card that is not there, by what there is', async () => {
    const cards = [cardOf(0, 'NVIDIA H200')]
    await expect(chooseCards([3], 'auto', from(cards), root)).rejects.toThrow(
      'There is no GPU 3 here; there are 0 (NVIDIA H200).',
    )
    await expect(chooseCards([1], 'auto', from([]), root)).rejects.toMatchObject({
      code: 'adapter.card-unknown',
    })
    // Where the system tells of no cards, WebGPU's is the only one.
    expect(await chooseCards([0], 'auto', from([]), root)).toMatchObject([{ label: 'GPU 0' }])
  })

  it('has as many software adapters as are asked for', async () => {
    const chosen = await chooseCards([0, 1, 7], 'software', from([]), root)
    expect(chosen.map(({ label }) => label)).toEqual([0, 1, 7].map((index) => `software adapter ${index}`))
  })
})

describe('CHATGLM_VISIBLE_GPUS', () => {
  const cards = [cardOf(0, 'a'), cardOf(1, 'b'), cardOf(2, 'c')]

  it('hides cards and numbers the others anew, in its order', async () => {
    expect(visibleCards(cards, ' 2, 0').map(({ index, name }) => [index, name])).toEqual([
      [0, 'c'],
      [1, 'a'],
    ])
    expect(visibleCards(cards, undefined)).toEqual(cards)
    expect(visibleCards(cards, '')).toEqual(cards)
  })

  it('hides from choice, not from Dawn: a card is still told from those that are hidden', async () => {
    const equal = [cardOf(0, 'NVIDIA H200'), cardOf(1, 'NVIDIA H200')]
    const [chosen] = await chooseCards([0], 'auto', from(equal, visibleCards(equal, '1')), root)
    expect(chosen.launcher).toContain('/dev/nvidia0')
  })

  it('names cards that are there, each once', () => {
    for (const value of ['1,1', '-1', 'GPU-5f', '0;1', '0,']) {
      expect(() => visibleCards(cards, value)).toThrow('CHATGLM_VISIBLE_GPUS')
    }
    expect(() => visibleCards(cards, '3')).toThrow('There is no GPU 3')
  })
})

describe('a process that does not see a file', async () => {
  const possible = process.platform === 'linux' && 'launcher' in (await hidingLauncher(HERE, []))

  it.runIf(possible)('finds /dev/null in its place, and others find the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chatglm-hiding-'))
    try {
      const [hidden, seen] = ['one', 'two words'].map((name) => join(folder, name))
      await Promise.all([writeFile(hidden, 'hidden\n'), writeFile(seen, 'seen\n')])
      const hiding = await hidingLauncher(HERE, [hidden])
      const [program, ...args] = 'launcher' in hiding ? hiding.launcher : []
      const print = promisify(execFile)
      expect((await print(program, [...args, 'cat', hidden, seen])).stdout).toBe('seen\n')
      expect((await print('cat', [hidden, seen])).stdout).toBe('hidden\nseen\n')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
