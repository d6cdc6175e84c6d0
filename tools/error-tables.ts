/** The part of the troubleshooting page that the table of codes gives. */
import { createError, ERROR_CODES, ERROR_KINDS, type ErrorCode } from '../src/errors/index.js'
import { withMadePart } from './made-part.js'
import { markdownTable } from './markdown-table.js'

/** A page with the tables between its marks made anew; everything else stays as it is. */
export function withErrorTables(page: string): string {
  return withMadePart(page, 'npm run docs:errors', 'src/errors/codes.ts', errorSections())
}

/** A section for each kind: what a caller can do, and its codes. */
function errorSections(): string[] {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[]
  return Object.entries(ERROR_KINDS).map(([kind, whatToDo]) => {
    const ofKind = codes.filter((code) => code.startsWith(`${kind}.`))
    const rows = ofKind.map((code) => {
      const { meaning, advice } = ERROR_CODES[code]
      return [`\`${code}\``, meaning, advice]
    })
    const { name } = createError(ofKind[0], '', {})
    const title = `${kind[0].toUpperCase()}${kind.slice(1)} errors`
    const table = markdownTable(['code', 'what it means', 'what to do'], rows)
    return `### ${title}\n\n\`${name}\`: ${whatToDo}\n\n${table}\n\n`
  })
}
