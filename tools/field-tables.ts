/** The part of the server's page that the descriptions of requests give. */
import { fieldTables } from '../src/server/index.js'
import { withMadePart } from './made-part.js'
import { markdownTable } from './markdown-table.js'

/** A page with the tables between its marks made anew; everything else stays as it is. */
export function withFieldTables(page: string): string {
  const sections = Object.entries(fieldTables()).map(([title, fields]) => {
    const rows = fields.map(({ name, expected, description }) => [`\`${name}\``, expected, description])
    return `### ${title}\n\n${markdownTable(['field', 'what it takes', 'what it does'], rows)}\n\n`
  })
  return withMadePart(page, 'npm run docs:server', 'src/server/requests/', sections)
}
