import type { Tool } from '../conversation/types.js'
import { strings } from '../i18n/index.js'

const EXAMPLE = 'calculate'

/** A tool to begin with, as the small model was taught to call it. */
export function exampleTool(): Tool {
  const { exampleDescription, exampleParameter } = strings.value.tools
  return {
    id: crypto.randomUUID(),
    name: EXAMPLE,
    description: exampleDescription,
    parameters: JSON.stringify(
      {
        type: 'object',
        properties: { expression: { description: exampleParameter } },
      },
      null,
      2,
    ),
    body: `// Two numbers and what is between them, as 17 * 23.
const parts = /^ *(-?[0-9.]+) *([-+*/]) *(-?[0-9.]+) *$/.exec(args.expression)
if (!parts) throw new Error('no expression: ' + args.expression)
const a = Number(parts[1])
const b = Number(parts[3])
const results = { '+': a + b, '-': a - b, '*': a * b, '/': a / b }
return { result: results[parts[2]] }`,
    enabled: true,
  }
}

/** Whether the example is among the tools that a model may call. */
export const hasExample = (tools: readonly Tool[]) =>
  tools.some(({ name, enabled }) => enabled && name === EXAMPLE)

export function emptyTool(): Tool {
  const parameters = JSON.stringify({ type: 'object', properties: {} }, null, 2)
  return { id: crypto.randomUUID(), name: '', description: '', parameters, body: '', enabled: true }
}
