import { basename } from 'node:path'
import { Command } from 'commander'
import type { ServerOptions } from '../server.js'
import type { Context } from './context.js'
import { CommandError, UsageError } from './errors.js'
import { count } from './format.js'
import { collect } from './generation-options.js'
import { interruptible } from './interrupt.js'
import type { CliModel, ServerHandle } from './library.js'
import { addModelOptions, MODEL_HELP, type ModelFlags, misplacedModel, openModel } from './model-options.js'
import { wholeNumber } from './numbers.js'
import { BUNDLED_MODEL, prefixSource } from './package-files.js'
import { requestLine } from './request-line.js'
import type { Terminal } from './terminal.js'

interface ServeFlags extends ModelFlags {
  readonly name?: string
  readonly adapter?: readonly string[]
  readonly port: number
  readonly host: string
  readonly apiKey?: readonly string[]
  readonly cors?: readonly string[]
  readonly maxSequences: number
  readonly maxWaiting: number
  readonly cacheTokens?: number
  readonly maxTokens?: number
  readonly manageAdapters?: true
  readonly grace: number
  readonly logContents?: true
}

const EXAMPLES = `
Examples:
  $ chatglm serve tiny                                   the bundled model, without a GPU too
  $ chatglm serve models/chatglm3-6b-int4 --prefix ads=output/ads --prefix poem=output/poem
  $ chatglm serve models/chatglm3-6b-int4 --host 0.0.0.0 --api-key "$KEY" --cors https://chat.example.org

Keys can also come from the environment: CHATGLM_API_KEY, several with commas.
`

export function serveCommand(context: Context): Command {
  const command = new Command('serve')
    .description('answer programs over HTTP, as OpenAI does')
    .argument('<model>', `${MODEL_HELP}, or ${BUNDLED_MODEL}, the bundled one`)
    .option('--name <name>', 'what clients call the model (default: the last part of its path)')
    .option(
      '--prefix, --adapter <name=path>',
      'a P-Tuning v2 prefix or a LoRA adapter, which clients ask for by its name; repeatable',
      collect,
    )
    .option('--port <number>', 'the port to listen on; 0 for any', wholeNumber(0, 65535), 8000)
    .option('--host <address>', 'the address to listen on; 0.0.0.0 for all', '127.0.0.1')
    .option('--api-key <key>', 'a key that clients must send; repeatable', collect)
    .option('--cors <origin>', 'an origin whose pages may ask, or *; repeatable', collect)
    .option('--max-sequences <count>', 'answers side by side', wholeNumber(1, 64), 16)
    .option('--max-waiting <count>', 'answers that may wait; more are refused', wholeNumber(0), 256)
    .option(
      '--cache-tokens <count>',
      'room for all answers together (default: a context for every fourth of them)',
      wholeNumber(1),
    )
    .option(
      '--max-tokens <count>',
      'the most tokens of an answer (default: the room there is)',
      wholeNumber(1),
    )
    .option('--manage-adapters', 'let clients load adapters from any path that this machine can read')
    .option('--grace <seconds>', 'how long answers may go on after Ctrl-C', wholeNumber(0, 86_400), 30)
    .option('--log-contents', 'log what is asked and answered, too')
  addModelOptions(command)
  command.addOption(misplacedModel('serve'))
  return command
    .addHelpText('after', EXAMPLES)
    .action((model: string, flags: ServeFlags) => serve(context, model, flags))
}

async function serve(context: Context, modelName: string, flags: ServeFlags): Promise<void> {
  const { terminal } = context
  const prefixes = (flags.adapter ?? []).map(parsePrefix)
  const options = serverOptions(modelName, flags, terminal)
  await interruptible(terminal, async (signal) => {
    const library = await context.loadLibrary()
    const { createServer } = await context.loadServer()
    const model = await openModel(library, terminal, modelName, flags, signal, {
      ...sizesOf(flags),
      spreads: true,
    })
    try {
      const server = await createServer(model, options)
      for (const { name, path } of prefixes) await server.addPrefix(name, prefixSource(modelName, path))
      const address = await listen(server, flags)
      const slow = library.isSoftwareAdapter(model.adapter) ? ', the software adapter (slow)' : ''
      const adapter = `${library.adapterName(model.adapter)}${slow}`
      greet(terminal, server, model, { address, adapter }, flags, options)
      try {
        await untilEnd(model, signal)
      } finally {
        if (server.running > 0) terminal.note(`${count(server.running, 'request')} under way …`)
        await server.close({ grace: flags.grace * 1000 })
      }
      terminal.note('The server has ended.')
    } finally {
      model.dispose()
    }
  })
}

interface NamedPrefix {
  readonly name: string
  readonly path: string
}

/** `ads=output/ads`; a path alone is called by its last part. */
function parsePrefix(text: string): NamedPrefix {
  const [, name, path] = /^([^=/\\]+)=(.+)$/.exec(text) ?? [undefined, basename(text), text]
  if (name === '') throw new UsageError(`--adapter ${text}: expected name=path, for example ads=output/ads.`)
  return { name, path }
}

/** Positions of a model where the user names none. */
const CONTEXT = 8192
/** Rows of an official prefix. */
const PREFIX_ROWS = 128
/** Answers that share the room of one whole context: few are that long. */
const SHARING = 4

function sizesOf({ maxSequences, maxWaiting, cacheTokens, context = CONTEXT }: ServeFlags) {
  const contexts = Math.ceil(maxSequences / SHARING)
  return { maxSequences, maxWaiting, cacheTokens: cacheTokens ?? contexts * (context + PREFIX_ROWS) }
}

function serverOptions(modelName: string, flags: ServeFlags, terminal: Terminal): ServerOptions {
  const { name, apiKey = [], cors, maxTokens, manageAdapters = false, logContents = false } = flags
  const fromEnvironment = (terminal.io.env.CHATGLM_API_KEY ?? '').split(',').filter((key) => key !== '')
  return {
    name: name ?? basename(modelName),
    apiKeys: [...apiKey, ...fromEnvironment],
    ...(cors && { corsOrigins: cors }),
    ...(maxTokens && { maxTokens }),
    manageAdapters,
    logContents,
    onRequest: (record) => {
      const isScreen = terminal.io.stdout.isTTY === true && !logContents
      terminal.print(isScreen ? requestLine(record, terminal.outputColors) : JSON.stringify(record))
    },
  }
}

async function listen(server: ServerHandle, { port, host }: ServeFlags): Promise<string> {
  try {
    return await server.listen({ port, host })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new CommandError(`Port ${port} of ${host} is taken: give another one with --port.`)
    }
    throw new CommandError(`Cannot listen on ${host}, port ${port}: ${message}.`)
  }
}

/** Waits for Ctrl-C. @throws where the model cannot answer any more */
async function untilEnd(model: CliModel, signal: AbortSignal): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const lost = model.lost.then((error) => {
    throw error
  })
  await Promise.race([interrupted, lost])
}

/** Says where the server is, what it has, and how to ask it. */
function greet(
  terminal: Terminal,
  server: ServerHandle,
  model: CliModel,
  { address, adapter }: { readonly address: string; readonly adapter: string },
  { maxSequences, grace, host }: ServeFlags,
  { apiKeys = [] }: ServerOptions,
): void {
  const { colors } = terminal
  const line = (label: string, text: string) => terminal.say(`${colors.dim(label.padEnd(9))} ${text}`)
  terminal.say()
  line('Address', colors.bold(`${address}/v1`))
  line('Models', server.models.join(', '))
  line('Room', `${count(maxSequences, 'answer')} side by side, ${count(model.contextLength, 'token')} each`)
  line('Adapter', adapter)
  if (apiKeys.length > 0) line('Key', 'needed')
  else if (!LOOPBACK.includes(host)) {
    terminal.say(
      `${colors.yellow('warning:')} everybody who can reach this machine can ask: --api-key lets some in only.`,
    )
  }
  terminal.say()
  const [name] = server.models
  const body = JSON.stringify({ model: name, messages: [{ role: 'user', content: 'Hello!' }] })
  const key = apiKeys.length > 0 ? ` -H 'Authorization: Bearer KEY'` : ''
  // As it is, on one line: it is there to be copied.
  terminal.io.stderr.write(
    `curl ${address}/v1/chat/completions${key} -H 'Content-Type: application/json' -d '${body.replaceAll("'", "'\\''")}'\n`,
  )
  terminal.say()
  terminal.note(`Ctrl-C ends the server; answers under way have ${count(grace, 'second')}.`)
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1']
