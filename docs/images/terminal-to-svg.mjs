/**
 * Draws a terminal as SVG, from its text with colours:
 *
 *   tmux capture-pane -e -p -t SESSION | node docs/images/terminal-to-svg.mjs 'npx chatglm chat' > docs/images/chat.svg
 */
import { text } from 'node:stream/consumers'

const [CELL, LINE, PADDING, TITLE] = [8.4, 19, 16, 30]
const COLORS = { 31: '#e06c75', 32: '#98c379', 33: '#e5c07b', 34: '#61afef', 35: '#c678dd', 36: '#56b6c2' }
const [FOREGROUND, DIM, BACKGROUND, BAR] = ['#d7dae0', '#8a919e', '#1e2127', '#2c313a']

/** Columns that a character takes: two for Chinese characters and full-width forms. */
const columnsOf = (character) =>
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/.test(
    character,
  )
    ? 2
    : 1

const escaped = (value) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A style after the codes of one escape sequence. */
function styleAfter(codes, before) {
  let { bold, dim, color } = before
  for (const code of codes) {
    if (code === 0) [bold, dim, color] = []
    else if (code === 1) bold = true
    else if (code === 2) dim = true
    else if (code === 22) [bold, dim] = []
    else if (code === 39) color = undefined
    else if (COLORS[code]) color = COLORS[code]
  }
  return { bold, dim, color }
}

/** Pieces of a line that have one style and characters of one width, with the column where each begins. */
function piecesOf(line, style) {
  const pieces = []
  let column = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    if (part.startsWith('\x1b')) {
      style = styleAfter(part.slice(2, -1).split(';').map(Number), style)
      continue
    }
    for (const character of part) {
      const columns = columnsOf(character)
      const last = pieces.at(-1)
      if (last?.style === style && last.columns === columns) last.text += character
      else pieces.push({ text: character, column, columns, style })
      column += columns
    }
  }
  return { pieces, style, width: column }
}

function drawn({ text, column, columns, style }, y) {
  const begin = text.length - text.trimStart().length
  const shown = text.trim()
  if (shown === '') return ''
  const x = PADDING + (column + begin * columns) * CELL
  const width = [...shown].length * columns * CELL
  const fill = style.color ?? (style.dim ? DIM : FOREGROUND)
  const weight = style.bold ? ' font-weight="bold"' : ''
  const place = `x="${x.toFixed(1)}" y="${y}" textLength="${width.toFixed(1)}" lengthAdjust="spacingAndGlyphs"`
  return `<text ${place} fill="${fill}"${weight}>${escaped(shown)}</text>`
}

const title = process.argv[2] ?? 'terminal'
const lines = (await text(process.stdin)).trimEnd().split('\n')
let style = {}
let columns = 80
const body = lines.flatMap((line, row) => {
  const result = piecesOf(line, style)
  style = result.style
  columns = Math.max(columns, result.width)
  return result.pieces.map((piece) => drawn(piece, TITLE + PADDING + row * LINE + 14)).filter(Boolean)
})
const width = Math.ceil(columns * CELL + 2 * PADDING)
const height = TITLE + 2 * PADDING + lines.length * LINE
const lights = ['#e06c75', '#e5c07b', '#98c379'].map(
  (fill, i) => `<circle cx="${18 + i * 18}" cy="${TITLE / 2}" r="5.5" fill="${fill}"/>`,
)
const font = 'ui-monospace, SFMono-Regular, Menlo, Consolas, Noto Sans Mono CJK SC, monospace'
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"
  font-family="${font}" font-size="14">
<title>${escaped(title)}</title>
<style>text { white-space: pre }</style>
<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>
<path d="M0 ${TITLE}V8a8 8 0 0 1 8-8H${width - 8}a8 8 0 0 1 8 8V${TITLE}z" fill="${BAR}"/>
${lights.join('\n')}
<text x="${width / 2}" y="${TITLE / 2 + 5}" text-anchor="middle" fill="${DIM}">${escaped(title)}</text>
${body.join('\n')}
</svg>
`)
