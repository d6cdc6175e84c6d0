import { invalidOption } from '../../../errors/index.js'
import { literal, oneOf } from './ebnf.js'
import { namingSchema, SchemaGrammar } from './json-schema.js'
import { PYTHON_NOTATION, valueRules } from './notation.js'

/** A tool as a constraint needs it. */
interface Tool {
  readonly name: string
  /** JSON Schema of its arguments: an object. */
  readonly parameters: unknown
  /** Where the schema stands in the tool. */
  readonly path: string
}

const LINES = /[\n\r]/
const NO_PARAMETERS = { type: 'object', properties: {} }

/** `{ name, parameters }`, alone or within `function`. @param path where the tool stands */
function readTool(given: unknown, path: string): Tool {
  const { function: inner, ...tool } = (given ?? {}) as Readonly<Record<string, unknown>>
  if (typeof inner === 'object' && inner !== null) return readTool(inner, `${path}.function`)
  const { name, parameters } = tool
  if (typeof name !== 'string' || name.trim() !== name || name === '' || LINES.test(name)) {
    throw invalidOption(`${path}.name`, name, 'the name of a tool, in one line')
  }
  return { name, parameters: parameters ?? NO_PARAMETERS, path: `${path}.parameters` }
}

/** The tools that a call may be of. @throws `option.invalid` */
export function readTools(tools: unknown, name?: unknown): readonly Tool[] {
  if (!Array.isArray(tools) || tools.length === 0) {
    throw invalidOption('constraint.toolCall', tools, 'a list of one or more tools')
  }
  const all = tools.map((tool, i) => readTool(tool, `constraint.toolCall[${i}]`))
  if (name === undefined) return all
  const named = all.filter((tool) => tool.name === name)
  if (named.length > 0) return named.slice(0, 1)
  throw invalidOption('constraint.name', name, `one of ${all.map((tool) => tool.name).join(', ')}`)
}

/**
 * The grammar of calls of tools as ChatGLM3 writes them: the name, then Python whose arguments satisfy the tool's schema. A
 * space stands before the code, because the model learnt the line of the name and what is behind it as two texts.
 * @param name of the tool that must be called; any of them without it
 * @throws `option.invalid` naming the place in a tool's schema
 */
export function toolCallGrammar(tools: unknown, name?: unknown): string {
  const rules: string[] = []
  const calls = readTools(tools, name).map(({ name: called, parameters, path }, i) =>
    namingSchema(path, () => {
      const grammar = new SchemaGrammar(parameters, PYTHON_NOTATION, `tool${i}_`)
      const given = grammar.callArguments()
      rules.push(...grammar.rules)
      return `${literal(`${called}\n \`\`\`python\ntool_call(`)} ${given} ${literal(')\n```')}`
    }),
  )
  return [`root ::= ${oneOf(calls)}`, ...rules, ...valueRules(PYTHON_NOTATION)].join('\n')
}
