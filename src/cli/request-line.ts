import type { RequestRecord } from '../server.js'
import { formatDuration } from './format.js'
import type { Colors } from './terminal.js'

/** A request on one line, for people. */
export function requestLine(record: RequestRecord, colors: Colors): string {
  const { time, status, method, route, milliseconds, model, prefix, promptTokens, completionTokens, error } =
    record
  const paint = status < 400 ? colors.green : status < 500 ? colors.yellow : colors.red
  const name = prefix === undefined || prefix === model ? model : `${model} + ${prefix}`
  const tokens = completionTokens === undefined ? undefined : `${promptTokens} → ${completionTokens} tokens`
  const details = [name, tokens, error, formatDuration(milliseconds / 1000)].filter(
    (text) => text !== undefined,
  )
  const clock = colors.dim(new Date(time).toTimeString().slice(0, 8))
  return `${clock} ${paint(String(status))} ${method} ${route} ${colors.dim(details.join(', '))}`
}
