import { FRAME_SCRIPT } from './sandbox-frame.js'

/** What the code of a tool gave: the JSON of its value, or why there is none. */
export type ToolResult = { readonly value: string } | { readonly error: string }

/** The code gets this long. */
export const TOOL_TIMEOUT_MS = 10_000

/** Nothing may be loaded from anywhere. Together with the page's own policy, the hash of the script is asked for. */
const FRAME_POLICY = "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:"

/** A value as JavaScript writes it: the id of a tool's argument may be a bigint, and a key `__proto__`. */
function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `[${value.map(literal).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (value instanceof Number) return String(value)
  const entries = [...(value instanceof Map ? value : Object.entries(value))].map(
    ([key, item]) => `[${JSON.stringify(key)}]:${literal(item)}`,
  )
  return `{${entries.join(',')}}`
}

function workerSource(body: string, args: unknown): string {
  return `
const args = ${literal(args)}
const digits = (key, value) => typeof value === 'bigint' ? '\\0' + value : value
async function tool() {
${body}
}
tool().then(
  (value) => postMessage({ value: JSON.stringify(value, digits)?.replace(/"\\\\u0000(-?\\d+)"/g, '$1') ?? 'null' }),
  (error) => postMessage({ error: String(error) }),
)`
}

/**
 * Runs the body of a function, with its arguments as `args`, where it can do no harm: in a worker of a frame that has
 * no origin, so no storage and no cookies, and whose policy forbids every connection.
 */
export async function runTool(body: string, args: unknown, signal: AbortSignal): Promise<ToolResult> {
  signal.throwIfAborted()
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.hidden = true
  frame.title = 'tool'
  frame.srcdoc = `<meta http-equiv="Content-Security-Policy" content="${FRAME_POLICY}"><script>${FRAME_SCRIPT}</script>`
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
  document.body.append(frame)
  const { port1, port2 } = new MessageChannel()
  try {
    await loaded
    return await new Promise<ToolResult>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      port1.onmessage = ({ data }) => resolve(data as ToolResult)
      const message = { code: workerSource(body, args), timeout: TOOL_TIMEOUT_MS }
      frame.contentWindow?.postMessage(message, '*', [port2])
    })
  } finally {
    port1.close()
    frame.remove()
  }
}
