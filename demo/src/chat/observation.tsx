import { CornerDownRight } from 'lucide-preact'
import type { Observation } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { CodeBlock } from '../markdown/markdown.js'

/** What a tool answered. */
export function ObservationView({ observation }: { readonly observation: Observation }) {
  const { tool, text, by } = observation
  const t = strings.value.tools
  const head = by === 'hand' ? t.answeredByHand(tool) : t.answers(tool)
  return (
    <article class="turn observation" aria-label={head}>
      <div class="call">
        <p class="call-head">
          <CornerDownRight size={15} aria-hidden="true" /> {head}
        </p>
        <CodeBlock language={isJson(text) ? 'json' : ''} text={text} />
      </div>
    </article>
  )
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
