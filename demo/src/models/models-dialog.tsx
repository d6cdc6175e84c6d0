import { useEffect } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import { StorageUsage } from '../storage/storage-usage.js'
import { refreshStore } from '../storage/store.js'
import { Dialog } from '../ui/dialog.js'
import { DownloadForm } from './download-form.js'
import { LoadingModel } from './loading-model.js'
import { LocalModels } from './local-models.js'
import { ModelFacts } from './model-facts.js'
import { isModelsOpen } from './models-dialog-state.js'
import { RunOptionsForm } from './run-options-form.js'
import { StoredItems } from './stored-items.js'

/** Where models come from, what is stored, and how they are run. */
export function ModelsDialog() {
  const t = strings.value.models
  useEffect(() => {
    refreshStore()
  }, [])
  const close = () => {
    isModelsOpen.value = false
  }
  return (
    <Dialog title={t.title} wide onClose={close}>
      <LoadingModel />
      <ModelFacts />
      <LocalModels />
      <StoredItems />
      <DownloadForm />
      <StorageUsage />
      <RunOptionsForm />
    </Dialog>
  )
}
