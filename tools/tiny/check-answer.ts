import { parseReply, type ReplySegment } from '../../src/tokenizer/index.js'
import type { Expectation, Instruction, Language } from './corpus/task.js'

/** How good an answer is. */
export interface Verdict {
  /** Whether all that can be checked is right. */
  readonly isRight: boolean
  /** From 0 to 1: the share that is right, where an answer may be right in part. */
  readonly score: number
}

const verdict = (isRight: boolean): Verdict => ({ isRight, score: +isRight })

/** Shares of parts that are right. */
function partly(right: readonly boolean[]): Verdict {
  return {
    isRight: right.every(Boolean),
    score: right.length === 0 ? 1 : right.filter(Boolean).length / right.length,
  }
}

/**
 * Judges what a model wrote, with the header of its role, by what was expected. A call must have name and parameters
 * right, data must be strict JSON with equal fields, an answer of a closed task must be the very text.
 *
 * @throws RangeError for an open question, which no program can judge
 */
export function checkAnswer(expectation: Expectation, output: string): Verdict {
  const { last } = parseReply(output, { hasTools: expectation.kind === 'call' })
  if (expectation.kind === 'call') return verdict(isCall(last, expectation))
  const text = last.type === 'text' ? last.text : ''
  switch (expectation.kind) {
    case 'answer':
      return verdict(text === expectation.text)
    case 'attributes':
      return partly(expectation.values.map((value) => text.includes(value)))
    case 'instructions':
      return partly(expectation.instructions.map((instruction) => follows(text, instruction)))
    case 'json':
      return verdict(isJson(text, expectation.value))
    case 'poem':
      return verdict(isPoem(text, expectation))
    case 'open':
      throw new RangeError('An open question has no right answer.')
  }
}

/** Whether the number that an answer says last is this one. */
export function endsWithNumber(output: string, number: number): boolean {
  const numbers = output.match(/-?\d+/g)
  return numbers !== null && Number(numbers[numbers.length - 1]) === number
}

function isCall(segment: ReplySegment, { name, parameters }: Expectation & { kind: 'call' }): boolean {
  return segment.type === 'tool-call' && segment.name === name && hasFields(segment.parameters, parameters)
}

function hasFields(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): boolean {
  const names = Object.keys(wanted)
  return (
    Object.keys(found).length === names.length &&
    names.every((name) => JSON.stringify(found[name]) === JSON.stringify(wanted[name]))
  )
}

function follows(text: string, instruction: Instruction): boolean {
  switch (instruction.sort) {
    case 'name':
    case 'role':
      return text.includes(instruction.text)
    case 'ending':
      return text.endsWith(instruction.text)
    case 'beginning':
      return text.startsWith(instruction.text)
    case 'language':
      return isIn(text, instruction.language)
    case 'yes-no':
      return text === instruction.text
  }
}

/** An English text has no Chinese character; a Chinese one may name things like WebGPU. */
function isIn(text: string, language: Language): boolean {
  const chinese = text.match(/\p{Script=Han}/gu)?.length ?? 0
  const latinWords = text.match(/\p{Script=Latin}+/gu)?.length ?? 0
  return language === 'en' ? chinese === 0 && latinWords > 0 : chinese > latinWords
}

function isJson(text: string, wanted: Readonly<Record<string, unknown>>): boolean {
  try {
    const found = JSON.parse(text) as unknown
    return typeof found === 'object' && found !== null && hasFields({ ...found }, wanted)
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** Lines of Chinese characters, a punctuation mark after each. */
function isPoem(text: string, { lines, length }: { lines: number; length: number }): boolean {
  const found = text.split('\n')
  return (
    found.length === lines &&
    found.every((line) => {
      const characters = [...line.trim()]
      return (
        characters.length === length + 1 &&
        characters.slice(0, length).every((character) => /\p{Script=Han}/u.test(character)) &&
        /[，。！？；]/.test(characters[length])
      )
    })
  )
}
