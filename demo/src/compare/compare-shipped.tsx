import { Columns3 } from 'lucide-preact'
import { strings } from '../i18n/index.js'
import { compareShipped } from './comparison.js'

/** Asks the small model and its prefixes one question. */
export function CompareShipped() {
  return (
    <button type="button" class="suggestion-compare" onClick={compareShipped}>
      <Columns3 size={15} aria-hidden="true" />
      {strings.value.chat.comparePrefixes}
    </button>
  )
}
