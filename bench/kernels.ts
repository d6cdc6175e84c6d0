/**
 * Each kernel and variant at the model's shapes: checked against its float64 reference, then timed, and compared with
 * what the device can do at most, measured in the same run.
 *
 *   node build/bench-kernels.js --json results/kernels.json --svg results
 *   node build/bench-kernels.js --quick
 */
import { type Command, program } from 'commander'
import { measureCeilings } from './ceilings/ceilings.js'
import { describeEnvironment, environmentLines } from './common/environment.js'
import { writeJson } from './common/files.js'
import { openGpu } from './common/internals.js'
import { type CommonOptions, commonOptions, count, counts, words } from './common/options.js'
import { PassTimer, QUICK, THOROUGH } from './common/pass-timer.js'
import type { CaseShapes, KernelCase } from './kernels/kernel-case.js'
import { type KernelResult, measureKernel } from './kernels/measure.js'
import { KERNEL_FAMILIES } from './kernels/registry.js'
import { ceilingLines, type KernelReport, kernelTable } from './kernels/report.js'
import { CHATGLM3_6B, TINY } from './model/shapes.js'

interface Options extends CommonOptions {
  readonly families: readonly string[]
  readonly only?: string
  readonly rows?: readonly number[]
  readonly contexts?: readonly number[]
  readonly groupSize: number
  readonly repetitions?: number
  readonly seed: number
}

function shapesOf(options: Options): CaseShapes {
  const quick = options.quick
  return {
    ...(quick ? TINY : CHATGLM3_6B),
    groupSize: quick ? 32 : options.groupSize,
    chunks: options.rows ?? (quick ? [16] : [128, 512]),
    contexts: options.contexts ?? (quick ? [48] : [128, 1024, 4096, 8192]),
  }
}

function selectCases(gpu: Parameters<(typeof KERNEL_FAMILIES)[string]>[0], options: Options): KernelCase[] {
  const pattern = new RegExp(options.only ?? '', 'i')
  return options.families
    .flatMap((name) => {
      const family = KERNEL_FAMILIES[name]
      if (!family)
        throw new Error(`No family "${name}"; there are ${Object.keys(KERNEL_FAMILIES).join(', ')}.`)
      return family(gpu, shapesOf(options))
    })
    .filter(({ kernel, variant, shape }) => pattern.test(`${kernel} ${variant} ${shape}`))
}

async function run(options: Options): Promise<void> {
  const gpu = await openGpu(options.device, { without: options.without })
  const timing = options.quick ? QUICK : THOROUGH
  const timer = new PassTimer(gpu, { ...timing, repetitions: options.repetitions ?? timing.repetitions })
  const environment = describeEnvironment(gpu, options.commit)
  const ceilings = await measureCeilings(gpu, timer)
  console.log(
    [...environmentLines(environment), ...ceilingLines(ceilings), `times from ${timer.source}`].join('\n'),
  )

  const kernels: KernelResult[] = []
  const failures: { case: string; problem: string }[] = []
  const cases = selectCases(gpu, options)
  for (const [index, one] of cases.entries()) {
    const name = [one.kernel, one.variant, one.shape].filter(Boolean).join(' ')
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${index + 1} of ${cases.length}: ${name}`)
    try {
      kernels.push(await measureKernel(gpu, timer, ceilings, one, options.seed + index))
    } catch (error) {
      gpu.check()
      const problem = error instanceof Error ? error.message : String(error)
      failures.push({ case: name, problem })
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  console.log(`\n${kernelTable(kernels)}`)
  for (const { case: name, problem } of failures) console.error(`failed: ${name}: ${problem}`)

  const report: KernelReport = {
    kind: 'kernels',
    version: 1,
    environment,
    clock: timer.source,
    ceilings,
    kernels,
    failures,
  }
  if (options.json) await writeJson(options.json, report)
  if (options.svg) {
    const { drawReports } = await import('./charts/draw.js')
    for (const file of await drawReports([report], options.svg)) console.log(`drew ${file}`)
  }
  timer.dispose()
  gpu.dispose()
  if (failures.length > 0) process.exitCode = 1
}

program
  .name('bench-kernels')
  .option('--families <names>', 'families of kernels, with commas', words, Object.keys(KERNEL_FAMILIES))
  .option('--only <pattern>', 'only cases whose line matches')
  .option('--rows <counts>', 'rows of prefill chunks, with commas', counts)
  .option('--contexts <counts>', 'cache rows that attention sees, with commas', counts)
  .option('--group-size <count>', 'of quantized weights', count, 64)
  .option('--repetitions <count>', 'timed passes of each case', count)
  .option('--seed <number>', 'of all random data', count, 1)
for (const option of commonOptions) program.addOption(option)
await program.action((_options: Options, command: Command) => run(command.opts<Options>())).parseAsync()
