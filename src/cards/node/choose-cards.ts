import { invalidOption } from '../../errors/index.js'
import type { Card } from '../card.js'
import { hiddenCard, unknownCard } from '../errors.js'
import { HERE, type System } from './system/system.js'

/** A card, and how a process comes to use it and no other. */
export interface ChosenCard {
  readonly index: number
  /** For people: `GPU 1 (NVIDIA H200)`. */
  readonly label: string
  readonly device: 'auto' | 'software'
  /** Dawn finds it by this; undefined where the process sees no other. */
  readonly adapterName: string | undefined
  /** What stands before the command of its process; empty where any process can use it. */
  readonly launcher: readonly string[]
}

/** The environment's choice of cards: numbers with commas, as `chatglm devices` gives them without it. */
export const VISIBLE_GPUS = 'CHATGLM_VISIBLE_GPUS'

/**
 * Takes the cards that `CHATGLM_VISIBLE_GPUS` names, and numbers them anew from 0 in its order.
 * @param value the variable's; undefined or empty for all cards
 * @throws `option.invalid`, `adapter.card-unknown`
 */
export function visibleCards(cards: readonly Card[], value: string | undefined): Card[] {
  if (value === undefined || value.trim() === '') return [...cards]
  const numbers = value.split(',').map((part) => part.trim())
  if (numbers.some((part) => !/^\d+$/.test(part)) || new Set(numbers).size < numbers.length) {
    throw invalidOption(VISIBLE_GPUS, value, 'numbers of different GPUs with commas, such as 0,1')
  }
  return numbers.map((number, index) => ({ ...cardOf(cards, Number(number)), index }))
}

function cardOf(cards: readonly Card[], index: number): Card {
  const card = cards.find((card) => card.index === index)
  if (!card) throw unknownCard(index, cards)
  return card
}

/**
 * Hides files from a command by binding /dev/null over each that is there, in a mount namespace of its own; the command
 * comes after `--`.
 */
const HIDE =
  'while [ "$1" != -- ]; do [ ! -e "$1" ] || mount --bind /dev/null "$1" || exit 125; shift; done; shift; exec "$@"'

/** As root, and as a user who may make user namespaces. */
const NAMESPACES = [
  ['unshare', '-m'],
  ['unshare', '-r', '-m'],
] as const

/**
 * What starts a command that does not see some files.
 * @returns undefined with the reason where that is not possible here
 */
export async function hidingLauncher(
  system: System,
  files: readonly string[],
): Promise<{ readonly launcher: readonly string[] } | { readonly why: string }> {
  const problems = new Set<string>()
  for (const [program, ...options] of NAMESPACES) {
    const launcher = [program, ...options, 'sh', '-c', HIDE, 'sh', ...files, '--']
    try {
      // Tried with a command that does nothing: who may not learns it before anything is loaded.
      const output = await system.run(program, [...launcher.slice(1), 'true'])
      if (output !== undefined) return { launcher }
      problems.add('there is no unshare (util-linux)')
    } catch (error) {
      problems.add((error as Error).message.trim().split('\n')[0])
    }
  }
  return { why: [...problems].join('; ') }
}

/** Whether Dawn, which takes the first card whose name holds a text, takes this one by its name. */
function isToldByName(card: Card, cards: readonly Card[]): boolean {
  return cards.every(
    (other) =>
      other.pci === card.pci || (other.isDriverName && card.isDriverName && !other.name.includes(card.name)),
  )
}

async function reach(card: Card, all: readonly Card[], system: System): Promise<ChosenCard> {
  const { index, name } = card
  const chosen = { index, label: `GPU ${index} (${name})`, device: 'auto', launcher: [] } as const
  if (all.length === 1) return { ...chosen, adapterName: undefined }
  if (isToldByName(card, all)) return { ...chosen, adapterName: name }
  if (system.platform !== 'linux')
    throw hiddenCard(index, name, `that takes Linux, this is ${system.platform}`)
  const others = all.filter(({ pci }) => pci !== card.pci)
  if (card.files.length === 0 || others.some(({ files }) => files.length === 0)) {
    throw hiddenCard(index, name, 'it is not known which device files in /dev belong to which card')
  }
  const hiding = await hidingLauncher(
    system,
    others.flatMap(({ files }) => files),
  )
  if ('why' in hiding) throw hiddenCard(index, name, hiding.why)
  return { ...chosen, adapterName: undefined, launcher: hiding.launcher }
}

/** A software adapter, which can be had as many times as there are processes. */
function softwareCard(index: number): ChosenCard {
  return {
    index,
    label: `software adapter ${index}`,
    device: 'software',
    adapterName: undefined,
    launcher: [],
  }
}

/**
 * Finds out how to use the chosen cards.
 * @param gpus their numbers among the visible cards, each once
 * @param all every card there is, visible or not
 * @param visible those that may be chosen, with the numbers by which they are
 * @throws `adapter.card-unknown`, `adapter.card-hidden`
 */
export async function chooseCards(
  gpus: readonly number[],
  device: 'auto' | 'software',
  { all, visible }: { readonly all: readonly Card[]; readonly visible: readonly Card[] },
  system: System = HERE,
): Promise<ChosenCard[]> {
  if (device === 'software') return gpus.map(softwareCard)
  if (all.length === 0) {
    // The system tells of no cards; WebGPU may have an adapter all the same, which is then the only one.
    const other = gpus.find((index) => index !== 0)
    if (other !== undefined) throw unknownCard(other, [])
    return [{ index: 0, label: 'GPU 0', device, adapterName: undefined, launcher: [] }]
  }
  return Promise.all(gpus.map((index) => reach(cardOf(visible, index), all, system)))
}
