import type { Progress as LoadProgress } from '../../../src/index.js'
import { formatBytes, formatNumber } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { closeModel, modelState } from '../model/model.js'
import { Button } from '../ui/button.js'
import { Progress } from '../ui/progress.js'
import { nameOfModel } from './model-name.js'

/** From 0 to 1; undefined while it cannot be told. */
export function loadedShare(progress: LoadProgress | undefined): number | undefined {
  if (!progress) return undefined
  const { stage, doneBytes, totalBytes, kernels } = progress
  if (stage === 'kernels' && kernels) return kernels.done / kernels.total
  return stage === 'weights' && totalBytes > 0 ? doneBytes / totalBytes : undefined
}

/** How far the model that is being loaded is. */
export function LoadingModel() {
  const state = modelState.value
  if (state.state !== 'loading') return null
  const t = strings.value.models
  const { source, progress } = state
  const stages: Readonly<Record<string, string>> = t.loadingStage
  const title = t.loading(nameOfModel(source))
  return (
    <section class="download-form" aria-live="polite">
      <div class="section-head">
        <strong>{title}</strong>
        <Button small onClick={closeModel}>
          {strings.value.app.cancel}
        </Button>
      </div>
      <Progress label={title} value={loadedShare(progress)} />
      <p class="download-status">
        <span>{stages[progress?.stage ?? 'open'] ?? progress?.stage}</span>
        {progress?.stage === 'weights' && (
          <span>{t.downloading(formatBytes(progress.doneBytes), formatBytes(progress.totalBytes))}</span>
        )}
        {progress?.kernels && (
          <span>
            {formatNumber(progress.kernels.done)} / {formatNumber(progress.kernels.total)}
          </span>
        )}
      </p>
    </section>
  )
}
