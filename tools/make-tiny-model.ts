/** Makes `models/tiny`: `npx vite build --mode programs && node build/make-tiny-model.js [FOLDER]`. */
import { Command } from 'commander'
import { openSink } from '../src/checkpoint/index.js'
import { writeTinyModel, writeTinyPrefix } from './tiny-model.js'

await new Command('make-tiny-model')
  .description('Writes the small model that ships with the repository. The same bytes every time.')
  .argument('[folder]', 'where to write it', 'models/tiny')
  .action(async (folder: string) => {
    await writeTinyModel(folder, (name) => process.stderr.write(`${name}\n`))
    await writeTinyPrefix(await openSink(folder), 'prefixes/random/pytorch_model.bin')
  })
  .parseAsync()
