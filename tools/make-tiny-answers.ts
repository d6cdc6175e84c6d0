/**
 * Writes what the small model answers to held-out questions, for `test/tiny-answers.test.ts`:
 * `npx vite build --mode programs && node build/make-tiny-answers.js`.
 */
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { loadModel } from '../src/runtime/generate/index.js'
import { answerHeldOut } from './tiny/held-out-answers.js'

const MODEL = 'models/tiny'

await new Command('make-tiny-answers')
  .description('Asks the small model held-out questions on the software adapter, and writes its answers.')
  .argument('[file]', 'where to write them', 'test/fixtures/tiny-answers.json')
  .action(async (file: string) => {
    const model = await loadModel(MODEL, { device: 'software' })
    try {
      const answers = await answerHeldOut(model, MODEL)
      for (const { task, messages, answer } of answers) {
        console.log(`${task}: ${messages.at(-1)?.content}\n${answer.trim()}\n`)
      }
      await writeFile(file, `${JSON.stringify(answers, null, 2)}\n`)
    } finally {
      model.dispose()
    }
  })
  .parseAsync()
