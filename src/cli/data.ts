import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Command } from 'commander'
import type { TrainingRecord } from '../finetune.js'
import type { Context } from './context.js'
import { CommandError } from './errors.js'
import { count } from './format.js'
import type { Library } from './library.js'
import { encodingOption, fileError, type TextFlags } from './read-text.js'

const IN_HELP = 'the published file: JSON, JSON lines or CSV'
const OUT_HELP = 'the file to write: JSON lines for `chatglm finetune`'

interface AdvertiseGenFlags extends TextFlags {
  readonly conversations?: true
}

export function dataCommand(context: Context): Command {
  const advertiseGen = new Command('advertise-gen')
    .description('convert AdvertiseGen, {content, summary}')
    .argument('<in>', IN_HELP)
    .argument('<out>', OUT_HELP)
    .addOption(encodingOption())
    .option('--conversations', 'make conversations, for the presets ptuning-multiturn and ptuning-v2')
    .action((input: string, output: string, { conversations, encoding }: AdvertiseGenFlags) =>
      convertData(context, input, output, async function* (library) {
        for await (const record of library.readRecords(input, { encoding })) {
          const pair = library.fromAdvertiseGen(record)
          yield conversations ? library.toConversation(pair) : pair
        }
      }),
    )
  const toolAlpaca = new Command('tool-alpaca')
    .description('convert ToolAlpaca, APIs with instances of their use, to conversations')
    .argument('<in>', IN_HELP)
    .argument('<out>', OUT_HELP)
    .addOption(encodingOption())
    .action((input: string, output: string, { encoding }: TextFlags) =>
      convertData(context, input, output, async function* (library) {
        let dropped = 0
        for await (const record of library.readRecords(input, { encoding })) {
          const api = library.fromToolAlpaca(record)
          dropped += api.dropped
          yield* api.conversations
        }
        if (dropped > 0)
          context.terminal.say(`${count(dropped, 'malformed instance')} left out, as by the official script.`)
      }),
    )
  return new Command('data')
    .description('convert published training data')
    .addCommand(advertiseGen)
    .addCommand(toolAlpaca)
}

/** Writes records as JSON lines; the file has its name only when it is complete. */
async function convertData(
  { terminal, loadLibrary }: Context,
  input: string,
  output: string,
  convert: (library: Library) => AsyncIterable<TrainingRecord>,
): Promise<void> {
  if (await stat(output).catch(() => undefined)) {
    throw new CommandError(`${output} exists already: name another file.`)
  }
  const library = await loadLibrary()
  const partial = `${output}.partial`
  const failure = (error: unknown) => {
    throw fileError(error, `write ${output}`)
  }
  await mkdir(dirname(output), { recursive: true }).catch(failure)
  const file = await open(partial, 'w').catch(failure)
  let records = 0
  try {
    for await (const record of convert(library)) {
      records++
      await file.write(`${library.stringifyJson(record)}\n`).catch(failure)
    }
    await file.close()
    await rename(partial, output)
  } catch (error) {
    await file.close()
    await rm(partial, { force: true })
    throw error
  }
  terminal.say(`${count(records, 'record')} of ${input} written to ${output}.`)
}
