import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { VariantPreview } from '../index.js'
import { GPU_ADVICE } from './adapters.js'
import type { Context } from './context.js'
import { formatBytes } from './format.js'
import { cardsAdvice, showCards } from './gpu-option.js'
import { interruptible } from './interrupt.js'
import type { Library } from './library.js'
import { number } from './numbers.js'
import type { Terminal } from './terminal.js'
import { wrap } from './wrap.js'

/** Those that decide whether a model fits and which kernels run. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const

/** Those that kernels use where they are there. */
const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as const

/** An adapter as this command reports it; the names are WebGPU's. */
interface AdapterReport {
  readonly name: string
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly software: boolean
  readonly default: boolean
  readonly features: Readonly<Record<(typeof FEATURES)[number], boolean>>
  readonly subgroupMinSize: number
  readonly subgroupMaxSize: number
  readonly limits: Readonly<Record<(typeof LIMITS)[number], number>>
  /** What a model is computed with; null where the adapter gives no device. */
  readonly preview: VariantPreview | null
}

async function report(library: Library, adapter: GPUAdapter, isDefault: boolean): Promise<AdapterReport> {
  const { info, features, limits } = adapter
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = info
  return {
    name: library.adapterName(info),
    vendor,
    architecture,
    device,
    description,
    software: library.isSoftwareAdapter(info),
    default: isDefault,
    features: Object.fromEntries(
      FEATURES.map((name) => [name, (features as ReadonlySet<string>).has(name)]),
    ) as AdapterReport['features'],
    subgroupMinSize,
    subgroupMaxSize,
    limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])) as AdapterReport['limits'],
    // An adapter can be too small for any model; the list says what it offers all the same.
    preview: await library.previewVariants(adapter).catch(() => null),
  }
}

/** The adapters that can be chosen, the default first. */
async function findAdapters(library: Library): Promise<AdapterReport[]> {
  const best = await report(library, await library.requestAdapter('auto'), true)
  if (best.software) return [best]
  // Not every platform has the software adapter; then there is nothing to report.
  const second = await library.requestAdapter('software').catch(() => undefined)
  const software = second && (await report(library, second, false))
  return software?.software ? [best, software] : [best]
}

/** `prefillProduct` as the command line calls it: `prefill-product`. */
function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Narrower terminals wrap by themselves. */
const MIN_WIDTH = 70
/** Columns of what a line is about. */
const NAME_WIDTH = 19
const VARIANT_WIDTH = 17

/** Columns for lines; those of a file are not cut. */
function widthOf({ io }: Terminal): number {
  return io.stdout.isTTY ? Math.max(MIN_WIDTH, io.stdout.columns || 80) : Number.POSITIVE_INFINITY
}

function showLine(terminal: Terminal, name: string, value: string): void {
  terminal.print(`  ${terminal.outputColors.dim(name.padEnd(NAME_WIDTH))}${value}`)
}

function showVariants(
  terminal: Terminal,
  { model, variants, timesIn }: VariantPreview,
  measured: boolean,
): void {
  const { outputColors: colors } = terminal
  const width = widthOf(terminal)
  const [kernels, ...more] = wrap(
    `for ${model}; '--variant name=value' chooses others`,
    width - 2 - NAME_WIDTH,
  ).split('\n')
  showLine(terminal, 'kernels', kernels)
  for (const line of more) showLine(terminal, '', line)
  const behind = (text: string) => wrap(text, width - 2 - NAME_WIDTH - VARIANT_WIDTH).split('\n')
  for (const [name, { variant, reason, impossible }] of Object.entries(variants)) {
    const others = Object.entries(impossible).flatMap(([other, why]) => behind(`${other} ${why}`))
    const [first, ...rest] = [...behind(reason), ...others.map((line) => colors.dim(line))]
    showLine(terminal, kebabCase(name), `${colors.cyan(variant.padEnd(VARIANT_WIDTH))}${first}`)
    for (const line of rest) showLine(terminal, '', `${' '.repeat(VARIANT_WIDTH)}${line}`)
  }
  if (measured && timesIn) showLine(terminal, 'measured times', `in ${timesIn}`)
}

function show(terminal: Terminal, adapter: AdapterReport): void {
  const { outputColors: colors } = terminal
  const { features, limits } = adapter
  const lanes =
    adapter.subgroupMinSize === adapter.subgroupMaxSize
      ? adapter.subgroupMinSize
      : `${adapter.subgroupMinSize} to ${adapter.subgroupMaxSize}`
  const rows: [string, string][] = [
    ['kind', adapter.software ? 'software adapter, runs on the CPU' : 'GPU'],
    ['choose', adapter.software ? '--device software' : '--device auto'],
    ['shader-f16', features['shader-f16'] ? 'yes' : 'no (the kernels calculate in f32)'],
    ['subgroups', features.subgroups ? `yes, of ${lanes} lanes` : 'no (the kernels use shared memory)'],
    [
      'matrix units',
      features['chromium-experimental-subgroup-matrix'] ? 'yes, as subgroup matrices' : 'not offered',
    ],
    ['largest buffer', formatBytes(limits.maxBufferSize)],
    ['largest binding', formatBytes(limits.maxStorageBufferBindingSize)],
    ['bindings', `${limits.maxStorageBuffersPerShaderStage} storage buffers a kernel`],
    [
      'workgroup',
      `${limits.maxComputeInvocationsPerWorkgroup} invocations, ` +
        `${formatBytes(limits.maxComputeWorkgroupStorageSize)} of shared memory`,
    ],
  ]
  const mark = adapter.default ? `  ${colors.cyan('used by default')}` : ''
  terminal.print(`${colors.bold(adapter.name)}${mark}`)
  for (const [name, value] of rows) showLine(terminal, name, value)
  if (adapter.preview) showVariants(terminal, adapter.preview, !adapter.software)
  terminal.print()
}

function explanation([best, other]: readonly AdapterReport[]): string {
  if (best.software) {
    return `No GPU driver answered, so only the software adapter is there: it is exact, but slow. ${GPU_ADVICE}`
  }
  return other
    ? 'The GPU is used by default because it is the fastest adapter there is.'
    : 'It is the only adapter here, and used by default.'
}

interface DevicesFlags {
  readonly json?: true
  readonly watch?: number | true
}

/** Where no interval is named. */
const WATCH_SECONDS = 2

/** Home, then each line as it is drawn anew, and what is below it: nothing flickers. */
const HOME = '\x1b[H'
const CLEAR_SCREEN = '\x1b[2J'
const CLEAR_BELOW = '\x1b[J'

/** Shows the cards again and again, until Ctrl-C. */
async function watch({ terminal, loadLibrary }: Context, { json, watch }: DevicesFlags): Promise<void> {
  const seconds = watch === true || watch === undefined ? WATCH_SECONDS : watch
  const library = await loadLibrary()
  const isScreen = terminal.io.stdout.isTTY === true && !json
  if (isScreen) terminal.io.stdout.write(CLEAR_SCREEN)
  await interruptible(terminal, async (signal) => {
    while (!signal.aborted) {
      const cards = await library.listGpus()
      const time = new Date().toISOString()
      if (json) terminal.print(JSON.stringify({ time, gpus: cards }))
      else {
        if (isScreen) terminal.io.stdout.write(HOME)
        terminal.print(
          `${terminal.outputColors.dim(`${time.slice(11, 19)} UTC, every ${seconds} s; Ctrl-C ends it`)}${isScreen ? '\x1b[K' : ''}`,
        )
        if (cards.length > 0) showCards(terminal, cards)
        else terminal.print(NO_CARDS)
        if (isScreen) terminal.io.stdout.write(CLEAR_BELOW)
      }
      await sleep(seconds * 1000, undefined, { signal }).catch(() => {})
    }
  })
}

const NO_CARDS = 'The system lists no GPUs: there is neither nvidia-smi nor a card in /sys.'

export function devicesCommand(context: Context): Command {
  const { terminal, loadLibrary } = context
  return new Command('devices')
    .description('list the GPUs there are, which adapter is used, and with which kernels')
    .option('--json', 'print JSON: { gpus, adapters }')
    .option(
      '--watch [seconds]',
      'show memory, load and power again and again (default: every 2 seconds)',
      number((value) => value >= 0.1 && value <= 3600, 'seconds from 0.1 to 3600'),
    )
    .action(async (flags: DevicesFlags) => {
      if (flags.watch !== undefined) return watch(context, flags)
      const library = await loadLibrary()
      const [gpus, adapters] = [await library.listGpus(), await findAdapters(library)]
      if (flags.json) {
        terminal.print(JSON.stringify({ gpus, adapters }, null, 2))
        return
      }
      if (gpus.length > 0) {
        showCards(terminal, gpus)
        terminal.print()
      }
      for (const adapter of adapters) show(terminal, adapter)
      const advice = [explanation(adapters), cardsAdvice(gpus)].filter((text) => text !== '')
      terminal.print(wrap(advice.join(' '), widthOf(terminal)))
    })
}
