const END = '<!-- The end of what is made. -->\n'

/**
 * A page with the part between its marks made anew; everything else stays as it is.
 * @param command makes it
 * @param source what it is made from
 */
export function withMadePart(
  page: string,
  command: string,
  source: string,
  sections: readonly string[],
): string {
  const begin = `<!-- Made by \`${command}\` from \`${source}\`; edit that. -->\n`
  const [before, rest] = page.split(begin)
  const [, after] = rest?.split(END) ?? []
  if (after === undefined) throw new Error(`The page has no lines "${begin.trim()}" and "${END.trim()}".`)
  return [before, begin, '\n', ...sections, END, after].join('')
}
