import type { Tool } from '../conversation/types.js'

/** A tool to begin with. */
export function exampleTool(): Tool {
  return {
    id: crypto.randomUUID(),
    name: 'calculate',
    description: 'Adds, subtracts, multiplies or divides two numbers.',
    parameters: JSON.stringify(
      {
        type: 'object',
        properties: {
          a: { type: 'number' },
          b: { type: 'number' },
          operation: { type: 'string', enum: ['+', '-', '*', '/'] },
        },
        required: ['a', 'b', 'operation'],
      },
      null,
      2,
    ),
    body: `const { a, b, operation } = args
if (operation === '+') return a + b
if (operation === '-') return a - b
if (operation === '*') return a * b
return a / b`,
    enabled: true,
  }
}

export function emptyTool(): Tool {
  const parameters = JSON.stringify({ type: 'object', properties: {} }, null, 2)
  return { id: crypto.randomUUID(), name: '', description: '', parameters, body: '', enabled: true }
}
