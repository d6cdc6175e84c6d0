import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TopLevelSpec } from 'vega-lite'
import type { LogEntry } from '../index.js'

const FILE = 'loss.svg'

/** Distinct for every kind of colour vision (Okabe and Ito 2008). */
const COLORS = ['#0072b2', '#d55e00']

/**
 * Draws the losses that a training has logged in `trainer_state.json` of its folder.
 * @returns the file; undefined where nothing is logged yet
 */
export async function drawLossCurve(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'trainer_state.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { log_history: log } = JSON.parse(text) as { log_history: readonly LogEntry[] }
  if (log.length === 0) return undefined
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  const view = new View(parse(compile(lossChart(log)).spec), { renderer: 'none' })
  try {
    const file = join(folder, FILE)
    await writeFile(`${file}.partial`, `${await view.toSVG()}\n`)
    await rename(`${file}.partial`, file)
    return file
  } finally {
    view.finalize()
  }
}

function lossChart(log: readonly LogEntry[]): TopLevelSpec {
  const values = log.map((entry) =>
    'loss' in entry
      ? { step: entry.step, loss: entry.loss, data: 'training' }
      : { step: entry.step, loss: entry.eval_loss, data: 'held out' },
  )
  return {
    background: '#ffffff',
    padding: 16,
    width: 640,
    height: 320,
    data: { values },
    mark: { type: 'line', point: values.length < 100 },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step', axis: { tickMinStep: 1, grid: false } },
      y: { field: 'loss', type: 'quantitative', title: 'loss (nats a token)', scale: { zero: false } },
      color: {
        field: 'data',
        title: null,
        scale: { domain: ['training', 'held out'], range: COLORS },
        legend: { orient: 'top-right' },
      },
    },
  }
}
