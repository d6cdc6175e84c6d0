import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { Tokenizer } from '../../../tokenizer/index.js'
import { Automaton } from './automaton.js'
import { readGrammar } from './grammar.js'
import { GrammarEngine } from './grammar-engine.js'
import { writeNetwork } from './network.js'

describe('the grammar engine', () => {
  let tokenizer: Tokenizer
  let engine: GrammarEngine
  beforeAll(async () => {
    tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))
    engine = new GrammarEngine(tokenizer, tokenizer.vocabSize + 3)
  })

  const idOfByte = (byte: number) => {
    const isSpace = byte === 0x20
    const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id)
    return ids.find((id) =>
      isSpace ? tokenizer.vocabulary.piece(id) === '▁' : tokenizer.vocabulary.byte(id) === byte,
    )!
  }
  const allowed = (mask: Uint32Array) =>
    Array.from({ length: mask.length * 32 }, (_, id) => id).filter((id) => (mask[id >> 5] >>> (id & 31)) & 1)

  it('lets nothing be said but texts of the grammar', () => {
    const { eos } = tokenizer.special
    const constraint = engine.prepare('root ::= "ab" | "你好" "！"?', [eos])()
    const first = allowed(constraint.mask())
    expect(first.length).toBeGreaterThan(0)
    for (const id of first) {
      const text = tokenizer.vocabulary.text(id)
      expect([' ab', ' 你好！'].some((whole) => whole.startsWith(text))).toBe(true)
    }
    expect(() => constraint.accept(eos + 5)).toThrow('not within the mask')
    for (const id of tokenizer.encode('你好')) constraint.accept(id)
    expect(allowed(constraint.mask())).toContain(eos)
    expect(constraint.done).toBe(false)
    const mark = tokenizer.encode('你好！').slice(tokenizer.encode('你好').length)
    for (const id of mark) constraint.accept(id)
    expect(allowed(constraint.mask())).toEqual([eos])
    expect(constraint.done).toBe(true)
  })

  it.each([
    [
      'root ::= "-" [1-9] | "-" [1-2] [0-9] | [1-9] [0-9]{2,2} # bounds',
      ['-2', '-29', '276'],
      ['-276', '-', '2'],
    ],
    ['root ::= [^a-z"\\n] .', ['你!', 'A"', '𝄞é'], ['ab', '\n1', 'A']],
    ['root ::= ("a" | "b"*)* "c"', ['c', 'abbac'], ['ab', '']],
    ['root ::= list\nlist ::= "x" ("," list)?', ['x', 'x,x,x'], ['x,', ',']],
    ['root ::= open\nopen ::= "(" open* ")"', ['()', '(()(()))'], ['(()', '())']],
    ['root ::= "\\x41\\u4f60\\U0001d11e\\"\\n"', ['A你𝄞"\n'], ['A']],
    ['root ::= [一-龥]+ | "é"{2} | [x\\-]', ['你好', 'éé', '-'], ['é', 'a', '']],
    ['root ::= "a" never | "b"\nnever ::= "c" never', ['b'], ['a', 'ac']],
    // No text at all is a text.
    ['root ::= "a"?', ['', 'a'], ['b']],
  ])('knows the texts of %s', (grammar, texts, others) => {
    const begin = engine.prepare(grammar, [tokenizer.special.eos])
    const isText = (text: string) => {
      const constraint = begin()
      try {
        for (const byte of new TextEncoder().encode(` ${text}`)) constraint.accept(idOfByte(byte))
      } catch {
        return false
      }
      return allowed(constraint.mask()).includes(tokenizer.special.eos)
    }
    expect(texts.map(isText)).toEqual(texts.map(() => true))
    expect(others.map(isText)).toEqual(others.map(() => false))
  })

  it.each([
    ['root ::= "a', 'line 1: expected "'],
    ['root ::= "a"\nroot ::= "b"', 'line 2: the rule root is there twice'],
    ['root ::= other', 'no rule other'],
    ['other ::= "a"', 'no rule root'],
    ['root ::= root "a" | "b"', 'root begins with itself'],
    ['root ::= a\na ::= b? a "x"\nb ::= "b"', 'a begins with itself'],
    ['root ::= "a" root', 'no text of it has an end'],
    ['root ::= ("a"', 'expected )'],
    ['root ::= [z-a]', 'from the lower'],
    ['root ::= "a" & "b"', '"&" has no meaning'],
    ['root ::= (("a"{10000}){10000}){10000}', 'too large'],
    ['root ::= "a"{99999}', 'bounds'],
    ['root ::= "\\ud800"', 'not a character'],
    ['', 'no rule root'],
  ])('says what is wrong with %j', (grammar, problem) => {
    expect(() => engine.prepare(grammar, [])).toThrow(problem)
  })

  it('does not follow what takes too long', () => {
    const automaton = new Automaton(writeNetwork(readGrammar('root ::= .*')))
    expect(() => automaton.limited(() => automaton.next(automaton.start), -1)).toThrow('too long')
    // In a limited time only: what was refused once is found where there is more.
    expect(automaton.next(automaton.start)[0x20]).toBeTruthy()
  })

  it('knows the text that must come, in the tokens that the tokenizer writes', () => {
    const begin = engine.prepare('root ::= "The answer: " ("yes" | "no")', [tokenizer.special.eos])
    const constraint = begin()
    const whole = tokenizer.encode('The answer: ')
    const forced = constraint.forced!(100)
    expect(forced).toEqual(whole.slice(0, forced.length))
    expect(forced.length).toBeGreaterThan(2)
    expect(constraint.forced!(1)).toEqual(forced.slice(0, 1))
    for (const id of forced) {
      expect(allowed(constraint.mask())).toEqual([id])
      constraint.accept(id)
    }
    // What is left may be one token with what follows.
    expect(allowed(constraint.mask()).length).toBeGreaterThan(1)
    const free = engine.prepare('root ::= "The answer: " ("yes" | "no")', [], false)()
    expect(free.forced!(100)).toEqual([])
    expect(allowed(free.mask()).length).toBeGreaterThan(1)
  })

  it('takes an id that ends answers for an end, and only behind a whole text', () => {
    const [id] = tokenizer.encode('a').slice(-1)
    const constraint = engine.prepare('root ::= "a"{2}', [id])()
    expect(allowed(constraint.mask())).not.toContain(id)
  })
})
