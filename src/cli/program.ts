import { Command, CommanderError } from 'commander'
import { chatCommand } from './chat.js'
import type { Context } from './context.js'
import { convertCommand } from './convert.js'
import { dataCommand } from './data.js'
import { devicesCommand } from './devices.js'
import { downloadCommand } from './download.js'
import { EXIT, reportError } from './errors.js'
import { evaluateCommand } from './evaluate.js'
import { finetuneCommand } from './finetune.js'
import { generateCommand } from './generate.js'
import type { Io } from './io.js'
import {
  type Library,
  loadLibrary as loadRealLibrary,
  loadServer as loadRealServer,
  type ServerLibrary,
} from './library.js'
import { mergeCommand } from './merge.js'
import { packageVersion } from './package-files.js'
import { planCommand } from './plan.js'
import { serveCommand } from './serve.js'
import { mergeShardsCommand } from './shards.js'
import { Terminal } from './terminal.js'

const EXAMPLES = `
Examples:
  $ chatglm chat --demo                                  see it work
  $ chatglm devices                                      which GPU is used
  $ chatglm convert ~/chatglm3-6b models/chatglm3-6b-int4
  $ chatglm chat models/chatglm3-6b-int4
  $ chatglm serve models/chatglm3-6b-int4                for programs, as OpenAI does
  $ chatglm finetune --model tiny --data ads.jsonl --output output/ads

Everything runs on this computer; nothing is sent anywhere.
`

function createProgram(context: Context): Command {
  const { terminal } = context
  const { io, colors, outputColors } = terminal
  const program = new Command('chatglm')
    .description('ChatGLM3-6B with P-Tuning v2 prefixes on WebGPU')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--debug', 'show where an error comes from')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
  const commands = [
    chatCommand,
    generateCommand,
    mergeShardsCommand,
    serveCommand,
    convertCommand,
    downloadCommand,
    mergeCommand,
    dataCommand,
    finetuneCommand,
    evaluateCommand,
    devicesCommand,
    planCommand,
  ]
  for (const command of commands) program.addCommand(command(context))
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .configureHelp({
        showGlobalOptions: true,
        styleTitle: (title) => outputColors.bold(title),
      })
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        writeErr: (text) => void io.stderr.write(text),
        getOutHasColors: () => outputColors.isColorSupported,
        getErrHasColors: () => colors.isColorSupported,
        outputError: (text, write) => write(text.replace(/^error:/, colors.red('error:'))),
      })
      .showHelpAfterError(colors.dim(`'${nameOf(command)} --help' lists what there is.`))
  }
  return program
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

/**
 * Runs the command line.
 * @param argv the arguments, without the program's name
 * @param loadLibrary gives the library that commands work with
 * @param loadServer gives what `serve` works with
 * @returns the exit code
 */
export async function run(
  argv: readonly string[],
  io: Io,
  loadLibrary: () => Promise<Library> = loadRealLibrary,
  loadServer: () => Promise<ServerLibrary> = loadRealServer,
): Promise<number> {
  const terminal = new Terminal(io)
  const debug = () => program.opts<{ debug?: true }>().debug === true
  const program = createProgram({ terminal, loadLibrary, loadServer, debug })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    return reportError(error, terminal, debug())
  }
}
