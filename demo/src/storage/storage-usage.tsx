import { formatBytes } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { report } from '../problems/problems.js'
import { Button } from '../ui/button.js'
import { persist, usage } from './store.js'

/** How much of its share of the disk the page uses, and whether the browser keeps it. */
export function StorageUsage() {
  const t = strings.value.models
  const now = usage.value
  if (!now) return null
  return (
    <section class="usage">
      <meter
        class="meter"
        aria-label={t.quota(formatBytes(now.used), formatBytes(now.quota))}
        min={0}
        max={Math.max(1, now.quota)}
        value={now.used}
      />
      <p>{t.quota(formatBytes(now.used), formatBytes(now.quota))}</p>
      <p>
        {now.persisted ? t.persisted : t.notPersisted}
        {!now.persisted && (
          <Button small kind="quiet" onClick={() => persist().catch(report)}>
            {t.persist}
          </Button>
        )}
      </p>
    </section>
  )
}
