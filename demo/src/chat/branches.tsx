import { ChevronLeft, ChevronRight } from 'lucide-preact'
import { current } from '../conversation/store.js'
import { alternatives } from '../conversation/tree.js'
import type { Turn } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { IconButton } from '../ui/button.js'
import { isAnswering, showAlternative } from './session.js'

/** `< 2/3 >`, where a turn has alternatives. */
export function Branches({ turn }: { readonly turn: Turn }) {
  const all = alternatives(current.value.turns, turn)
  if (all.length < 2) return null
  const index = all.findIndex(({ id }) => id === turn.id)
  const t = strings.value.chat
  const busy = isAnswering.value
  return (
    <div class="branches">
      <IconButton
        icon={ChevronLeft}
        size={16}
        label={t.previous}
        disabled={busy || index === 0}
        onClick={() => showAlternative(turn, -1)}
      />
      <span role="img" aria-label={t.version(index + 1, all.length)}>
        {index + 1}/{all.length}
      </span>
      <IconButton
        icon={ChevronRight}
        size={16}
        label={t.next}
        disabled={busy || index === all.length - 1}
        onClick={() => showAlternative(turn, 1)}
      />
    </div>
  )
}
