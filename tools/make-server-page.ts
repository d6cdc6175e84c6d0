/** Makes the tables of fields in `docs/server.md` anew: `npm run docs:server`. */
import { readFile, writeFile } from 'node:fs/promises'
import { withFieldTables } from './field-tables.js'

const PAGE = 'docs/server.md'

await writeFile(PAGE, withFieldTables(await readFile(PAGE, 'utf8')))
