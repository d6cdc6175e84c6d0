/** The part of the troubleshooting page that the table of codes gives. */
import { createError, ERROR_CODES, ERROR_KINDS, type ErrorCode } from '../src/errors/index.js'
import { markdownTable } from './markdown-table.js'

const BEGIN = '<!-- Made by `npm run docs:errors` from `src/errors/codes.ts`; edit that. -->\n'
const END = '<!-- The end of what is made. -->\n'

/** A page with the tables between its marks made anew; everything else stays as it is. */
export function withErrorTables(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const [, after] = rest?.split(END) ?? []
  if (after === undefined) throw new Error(`The page has no lines "${BEGIN.trim()}" and "${END.trim()}".`)
  return [before, BEGIN, '\n', ...errorSections(), END, after].join('')
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
