/** Writes the text of the small model: `npx vite build --mode programs && node build/make-tiny-corpus.js FOLDER`. */
import { Command, InvalidArgumentError } from 'commander'
import { writeCorpus } from './tiny/write-corpus.js'

function positiveInteger(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number above 0.')
}

await new Command('make-tiny-corpus')
  .description(
    'Writes what the small model is trained on, and its tokenizer. The same bytes for the same seed.',
  )
  .argument('<folder>', 'where to write it')
  .option('--records <count>', 'conversations to train on', positiveInteger, 300_000)
  .option('--seed <number>', 'another seed gives other conversations', positiveInteger, 1)
  .action(async (folder: string, { records, seed }: { records: number; seed: number }) => {
    console.log(await writeCorpus(folder, records, seed))
  })
  .parseAsync()
