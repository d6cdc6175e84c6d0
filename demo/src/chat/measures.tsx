import type { Measures, PrefixChoice } from '../conversation/types.js'
import { formatDuration, formatNumber } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { nameOfChoice } from '../prefixes/name-of-choice.js'

interface MeasuresProps {
  readonly measures: Measures
  readonly prefix: PrefixChoice
}

/** What an answer took, in one line. */
export function MeasuresLine({ measures, prefix }: MeasuresProps) {
  const t = strings.value.chat
  const { tokens, tokensPerSecond, firstTokenSeconds, cachedTokens, promptTokens } = measures
  const parts = [
    ...(prefix.name === null ? [] : [nameOfChoice(prefix)]),
    t.tokens(tokens),
    ...(tokensPerSecond > 0 ? [t.speed(formatNumber(tokensPerSecond))] : []),
    t.firstToken(formatDuration(firstTokenSeconds)),
  ]
  return (
    <p class="measures" title={t.cached(cachedTokens, promptTokens)}>
      {parts.join(' · ')}
    </p>
  )
}
