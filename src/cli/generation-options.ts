import type { Command } from 'commander'
import type { GenerateOptions } from '../index.js'
import { number, wholeNumber } from './numbers.js'

/** How to choose tokens and when to end, as the command line says it. */
export interface GenerationFlags {
  readonly adapterStrength?: number
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly seed?: number
  readonly maxTokens?: number
  readonly stop?: readonly string[]
  readonly ban?: readonly string[]
}

export const adapterStrength = number(
  (value) => value >= 0 && value <= 1,
  'a number from 0 (no prefix) to 1 (as trained)',
)
const penalty = number((value) => Math.abs(value) <= 1000, 'a number from -1000 to 1000; 0 is no penalty')

/** Appends one more value of an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}

export function addGenerationOptions(command: Command): Command {
  return command
    .optionsGroup('Generation (the defaults are those of the official chat):')
    .option(
      '--temperature <number>',
      'divides the logits; 0 takes the likeliest token always (default: 0.8)',
      number((value) => value >= 0 && value <= 1e4, 'a number from 0 up'),
    )
    .option('--top-k <count>', 'only the k likeliest tokens, 0 for all (default: 50)', wholeNumber(0))
    .option(
      '--top-p <share>',
      'only the likeliest tokens of this probability together (default: 0.8)',
      number((value) => value > 0 && value <= 1, 'a number above 0 and up to 1'),
    )
    .option(
      '--min-p <share>',
      'only tokens this likely relative to the likeliest (default: 0)',
      number((value) => value >= 0 && value <= 1, 'a number from 0 to 1'),
    )
    .option(
      '--repetition-penalty <factor>',
      'makes tokens of prompt and answer less likely (default: 1)',
      number((value) => value >= 1e-3 && value <= 1e3, 'a number from 0.001 to 1000; 1 is no penalty'),
    )
    .option('--presence-penalty <amount>', 'taken from logits of tokens in the answer (default: 0)', penalty)
    .option('--frequency-penalty <amount>', 'taken for every time a token occurs in it (default: 0)', penalty)
    .option(
      '--seed <number>',
      'the same seed gives the same answer (default: random)',
      wholeNumber(0, 2 ** 32 - 1),
    )
    .option('--max-tokens <count>', 'ends an answer (default: the room there is)', wholeNumber(1))
    .option('--stop <text>', 'a text that ends the answer; repeatable', collect)
    .option('--ban <word>', 'a word that must not appear; repeatable', collect)
}

/** A seed out of the blue, chosen here so that it can be shown. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32)
}

export function generateOptions(flags: GenerationFlags): GenerateOptions {
  const { temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty } = flags
  const { maxTokens, stop, ban: bannedWords } = flags
  return {
    temperature,
    topK,
    topP,
    minP,
    repetitionPenalty,
    presencePenalty,
    frequencyPenalty,
    maxTokens,
    stop,
    bannedWords,
  }
}
