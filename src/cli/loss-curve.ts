import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config, TopLevelSpec } from 'vega-lite'
import type { LogEntry } from '../finetune.js'
import { CommandError } from './errors.js'

const FILE = 'loss.svg'

const TRAINING = 'training'
const HELD_OUT = 'held-out data'
const NAMES = [TRAINING, HELD_OUT]
/** Distinct for every kind of colour vision (Okabe and Ito 2008). */
const COLORS = ['#0072b2', '#d55e00']
/** More points than that would hide their line. */
const MAX_POINTS = 60

const TEXT = '#555555'
const LOOK: Config = {
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    gridColor: '#e8e8e8',
    labelColor: TEXT,
    labelFontSize: 12,
    labelPadding: 8,
    labelFlush: false,
    titleColor: TEXT,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 12,
  },
  legend: { labelColor: '#222222', labelFontSize: 12, columnPadding: 24, offset: 14 },
}

/**
 * Draws the losses that a training has logged in `trainer_state.json` of its folder.
 * @returns the file; undefined where nothing is logged yet
 * @throws CommandError where the libraries for charts are not installed
 */
export async function drawLossCurve(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'trainer_state.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { log_history: log } = JSON.parse(text) as { log_history: readonly LogEntry[] }
  if (log.length === 0) return undefined
  const [{ parse, View }, { compile }, { smoothLosses }] = await Promise.all([
    importChart(import('vega')),
    importChart(import('vega-lite')),
    import('../finetune.js'),
  ])
  const view = new View(parse(compile(lossChart(log, smoothLosses)).spec), { renderer: 'none' })
  try {
    const file = join(folder, FILE)
    await writeFile(`${file}.partial`, `${await view.toSVG()}\n`)
    await rename(`${file}.partial`, file)
    return file
  } finally {
    view.finalize()
  }
}

/** @throws CommandError where the library is not installed: it is an optional peer, as only this needs it */
async function importChart<T>(library: Promise<T>): Promise<T> {
  return library.catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError('For a picture of the losses: npm install vega vega-lite')
  })
}

function lossChart(log: readonly LogEntry[], smooth: (losses: readonly number[]) => number[]): TopLevelSpec {
  const training = log.flatMap((entry) => ('loss' in entry ? [{ step: entry.step, loss: entry.loss }] : []))
  const heldOut = log.flatMap((entry) =>
    'loss' in entry ? [] : [{ step: entry.step, loss: entry.eval_loss }],
  )
  const smoothed = smooth(training.map(({ loss }) => loss)).map((loss, index) => ({
    step: training[index].step,
    loss,
  }))
  const named = (data: string, values: readonly object[]) => ({
    values: values.map((value) => ({ ...value, data })),
  })
  const color = {
    field: 'data',
    type: 'nominal',
    title: null,
    scale:
      heldOut.length > 0 ? { domain: NAMES, range: COLORS } : { domain: NAMES.slice(0, 1), range: COLORS },
    legend: { orient: 'top', symbolType: 'stroke', symbolStrokeWidth: 3, symbolOpacity: 1 },
  } as const
  return {
    background: '#ffffff',
    padding: 20,
    width: 680,
    height: 320,
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step', axis: { tickMinStep: 1, grid: false } },
      y: { field: 'loss', type: 'quantitative', title: 'loss (nats a token)', scale: { zero: false } },
    },
    layer: [
      {
        data: named(TRAINING, training),
        mark: { type: 'line', strokeWidth: 1.5, opacity: 0.35 },
        encoding: { color },
      },
      { data: named(TRAINING, smoothed), mark: { type: 'line', strokeWidth: 2.5 }, encoding: { color } },
      {
        data: named(HELD_OUT, heldOut),
        mark: { type: 'line', strokeWidth: 2.5, point: heldOut.length <= MAX_POINTS && { size: 50 } },
        encoding: { color },
      },
    ],
    config: LOOK,
  }
}
