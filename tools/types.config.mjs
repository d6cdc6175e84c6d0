/** Types of the doors in `dist/types`: what can be reached from their names, out of all that the compiler wrote. */
import { readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const doors = Object.values(exports).flatMap(({ types }) => (types ? [types.match(/(\w+)\.d\.ts$/)[1]] : []))

export default defineConfig({
  input: Object.fromEntries(doors.map((door) => [door, `./.cache/types/${door}.d.ts`])),
  external: /^[a-z@]|\?raw$/,
  checks: { pluginTimings: false },
  plugins: [dts({ dtsInput: true })],
  output: { dir: 'dist/types', cleanDir: true },
})
