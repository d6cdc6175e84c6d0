import { InvalidArgumentError, Option } from 'commander'
import { count, formatBytes } from './format.js'
import type { Io } from './io.js'
import type { Library } from './library.js'
import type { Terminal } from './terminal.js'

/** The environment's choice of cards, as the library reads it. */
const VISIBLE_GPUS = 'CHATGLM_VISIBLE_GPUS'

/** `0,1` as numbers. @throws InvalidArgumentError */
export function parseGpus(text: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim())
  const numbers = parts.map(Number)
  if (parts.some((part) => !/^\d{1,4}$/.test(part)) || new Set(numbers).size < numbers.length) {
    throw new InvalidArgumentError(
      "Expected numbers of different GPUs with commas, as 'chatglm devices' shows them.",
    )
  }
  return numbers
}

export function gpuOption(
  description = 'the GPU, or several with commas, by the numbers that devices shows',
): Option {
  return new Option(
    '--gpu <numbers>',
    `${description} (default: ${VISIBLE_GPUS}, or what WebGPU takes)`,
  ).argParser(parseGpus)
}

/**
 * The cards to use: those of the option, else the ones that the environment shows; undefined for the adapter that WebGPU
 * takes by itself.
 * @param spreads whether the command has work for more than one
 */
export function chosenGpus(
  gpu: readonly number[] | undefined,
  { env }: Pick<Io, 'env'>,
  spreads: boolean,
): readonly number[] | undefined {
  if (gpu) return gpu
  const visible = env[VISIBLE_GPUS]
  if (!visible?.trim()) return undefined
  return spreads ? visible.split(',').map((_, index) => index) : [0]
}

type CardList = Awaited<ReturnType<Library['listGpus']>>

const UNKNOWN = '-'

/** The cards as a table, one a line. */
function cardRows(cards: CardList): string[][] {
  const rows = cards.map(({ index, name, pci, memory, load, power }) => [
    String(index),
    name,
    pci,
    memory ? formatBytes(memory.used) : UNKNOWN,
    memory ? formatBytes(memory.free) : UNKNOWN,
    load === undefined ? UNKNOWN : `${Math.round(load * 100)} %`,
    power ? `${Math.round(power.draw)} W${power.limit ? ` of ${Math.round(power.limit)}` : ''}` : UNKNOWN,
  ])
  return [['GPU', 'name', 'PCI address', 'used', 'free', 'load', 'power'], ...rows]
}

export function showCards(terminal: Terminal, cards: CardList): void {
  const rows = cardRows(cards)
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const [at, row] of rows.entries()) {
    const line = row.map((cell, column) => cell.padEnd(widths[column])).join('  ')
    terminal.print(at === 0 ? terminal.outputColors.dim(line.trimEnd()) : line.trimEnd())
  }
}

/** What the list of cards is good for. */
export function cardsAdvice(cards: CardList): string {
  return cards.length > 1
    ? `The system lists ${count(cards.length, 'GPU')}: --gpu 1 takes one, --gpu 0,1 both, where a command has work for them.`
    : ''
}
