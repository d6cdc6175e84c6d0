import { join } from 'node:path'
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { writeAtomically } from '../common/files.js'
import { STYLE } from './style.js'

/** A chart and the name of its file. */
export interface Chart {
  readonly name: string
  readonly spec: TopLevelSpec
}

/** Draws a chart as `<name>.svg` into a folder. @returns the file */
export async function renderChart({ name, spec }: Chart, folder: string): Promise<string> {
  const view = new View(parse(compile({ ...spec, config: STYLE }).spec), { renderer: 'none' })
  const file = join(folder, `${name}.svg`)
  try {
    await writeAtomically(file, `${await view.toSVG()}\n`)
  } finally {
    view.finalize()
  }
  return file
}
