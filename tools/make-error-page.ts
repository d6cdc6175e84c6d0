/** Makes the tables of errors in `docs/troubleshooting.md` anew: `npm run docs:errors`. */
import { readFile, writeFile } from 'node:fs/promises'
import { withErrorTables } from './error-tables.js'

const PAGE = 'docs/troubleshooting.md'

await writeFile(PAGE, withErrorTables(await readFile(PAGE, 'utf8')))
