import { useEffect } from 'preact/hooks'
import { ChatView } from './chat/chat-view.js'
import { isAnswering, stopAnswer } from './chat/session.js'
import { SettingsPanel } from './chat/settings-panel.js'
import { CompareView } from './compare/compare-view.js'
import { strings } from './i18n/index.js'
import { ModelsDialog } from './models/models-dialog.js'
import { isModelsOpen } from './models/models-dialog-state.js'
import { DropZone } from './prefixes/drop-zone.js'
import { Notices } from './problems/notices.js'
import { Header } from './shell/header.js'
import { isSettingsOpen, isSidebarOpen } from './shell/panels.js'
import { view } from './shell/route.js'
import { Sidebar } from './shell/sidebar.js'
import { toast } from './shell/toast.js'
import { update, waitingVersion } from './storage/offline.js'
import { StorageView } from './storage/storage-view.js'
import { Button } from './ui/button.js'
import { lazy } from './ui/lazy.js'

const VIEWS = {
  chat: ChatView,
  compare: CompareView,
  finetune: lazy(() => import('./finetune/finetune-view.js').then((module) => module.FinetuneView)),
  bench: lazy(() => import('./bench/bench-view.js').then((module) => module.BenchView)),
  storage: StorageView,
}

export function App() {
  useEscape()
  const t = strings.value.app
  const View = VIEWS[view.value]
  return (
    <div class="app">
      <a class="skip-link" href="#main">
        {t.skip}
      </a>
      <Sidebar />
      {isSidebarOpen.value && (
        <button
          type="button"
          class="scrim"
          aria-label={t.close}
          onClick={() => {
            isSidebarOpen.value = false
          }}
        />
      )}
      <main id="main" class="main" tabIndex={-1}>
        <Header />
        <Notices />
        <View />
      </main>
      {isSettingsOpen.value && view.value === 'chat' && <SettingsPanel />}
      {isModelsOpen.value && <ModelsDialog />}
      <DropZone />
      <div class="toast-place" role="status">
        {toast.value && <p class="toast">{toast}</p>}
      </div>
      {waitingVersion.value && (
        <div class="toast-place toast-update">
          <p class="toast">
            {t.update}
            <Button small kind="quiet" onClick={update}>
              {t.reload}
            </Button>
          </p>
        </div>
      )}
    </div>
  )
}

/** Esc stops the answer; then it closes what is open. */
function useEscape(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      if (isAnswering.value) stopAnswer()
      else if (isSidebarOpen.value) isSidebarOpen.value = false
      else isSettingsOpen.value = false
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
}
