/**
 * Draws the results of benchmarks, wherever they were measured; several models come into the same chart.
 *
 *   node build/bench-charts.js --svg docs/images results/model.json results/kernels.json
 */
import { readFile } from 'node:fs/promises'
import { program } from 'commander'
import { drawReports, type Report } from './charts/draw.js'

/** @throws Error for a file that no benchmark of this version wrote */
async function readReport(file: string): Promise<Report> {
  const report = JSON.parse(await readFile(file, 'utf8')) as Report
  if (!['model', 'kernels', 'peers'].includes(report.kind) || report.version !== 1) {
    throw new Error(`${file} holds no results of this version's benchmarks.`)
  }
  return report
}

program
  .name('bench-charts')
  .argument('<files...>', 'what the benchmarks wrote with --json')
  .requiredOption('--svg <folder>', 'where to draw')
  .action(async (files: string[], { svg }: { svg: string }) => {
    for (const file of await drawReports(await Promise.all(files.map(readReport)), svg))
      console.log(`drew ${file}`)
  })
await program.parseAsync()
