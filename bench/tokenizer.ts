/**
 * Speed of the tokenizer on Chinese text: `node build/bench-tokenizer.js TOKENIZER [TEXT]`.
 * Without a text, random words of the vocabulary's own pieces are made, seeded.
 */
import { readFile } from 'node:fs/promises'
import { program } from 'commander'
import { Tokenizer } from '../src/index.js'

const MEGABYTE = 1e6

/** Lines of random Chinese pieces of a tokenizer, about `bytes` of UTF-8. */
function chineseLines(tokenizer: Tokenizer, bytes: number): string[] {
  const words: string[] = []
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const text = tokenizer.decode([id])
    if (/^\p{Script=Han}+$/u.test(text)) words.push(text)
  }
  if (words.length === 0) throw new Error('The tokenizer has no Chinese pieces; give a text to encode.')
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const lines: string[] = []
  for (let size = 0; size < bytes; ) {
    const line = Array.from({ length: 5 + Math.floor(random() * 40) }, () => {
      const mark = random() < 0.15 ? '，' : ''
      return words[Math.floor(random() * words.length)] + mark
    }).join('')
    lines.push(`${line}。`)
    size += Buffer.byteLength(line) + 3
  }
  return lines
}

program
  .argument('<tokenizer>', 'tokenizer.model')
  .argument('[text]', 'a UTF-8 text file')
  .action(async (file: string, textFile: string | undefined) => {
    const bytes = await readFile(file)
    const began = performance.now()
    const tokenizer = Tokenizer.fromSentencePiece(bytes, { file })
    const built = performance.now() - began
    const lines = textFile
      ? (await readFile(textFile, 'utf8')).split('\n')
      : chineseLines(tokenizer, 4 * MEGABYTE)
    const size = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0)
    const timed = <T>(work: () => T): [number, T] => {
      const start = performance.now()
      const result = work()
      return [(performance.now() - start) / 1000, result]
    }
    // A first quarter warms the compiler up; the rest is text it has not seen.
    const warmUp = lines.slice(0, lines.length / 4)
    for (const line of warmUp) tokenizer.encode(line)
    const rest = lines.slice(lines.length / 4)
    const restSize = rest.reduce((sum, line) => sum + Buffer.byteLength(line), 0)
    const [encoding, ids] = timed(() => rest.map((line) => tokenizer.encode(line)))
    const [decoding, texts] = timed(() => ids.map((line) => tokenizer.decode(line)))
    const wrong = texts.findIndex((text, i) => text !== rest[i])
    if (wrong >= 0) throw new Error(`Line ${wrong} does not survive encoding and decoding: ${rest[wrong]}`)
    const tokens = ids.reduce((sum, line) => sum + line.length, 0)
    console.log(`built in ${built.toFixed(0)} ms; ${(size / MEGABYTE).toFixed(1)} MB of text`)
    console.log(`encode ${(restSize / MEGABYTE / encoding).toFixed(2)} MB/s (${tokens} tokens)`)
    console.log(`decode ${(restSize / MEGABYTE / decoding).toFixed(2)} MB/s`)
  })
await program.parseAsync()
