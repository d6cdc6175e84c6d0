import { ChevronDown, PanelLeft, SlidersHorizontal } from 'lucide-preact'
import { currentSettings } from '../conversation/store.js'
import { formatPercent } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { modelState } from '../model/model.js'
import { nameOfModel } from '../models/model-name.js'
import { isModelsOpen } from '../models/models-dialog-state.js'
import { nameOfChoice } from '../prefixes/name-of-choice.js'
import { IconButton } from '../ui/button.js'
import { isSettingsOpen, isSidebarOpen } from './panels.js'
import { view } from './route.js'

export function Header() {
  const t = strings.value
  const { prefix } = currentSettings.value
  return (
    <header class="header">
      <IconButton
        class="sidebar-toggle"
        icon={PanelLeft}
        label={t.app.menu}
        aria-expanded={isSidebarOpen.value}
        onClick={() => {
          isSidebarOpen.value = !isSidebarOpen.value
        }}
      />
      <ModelButton />
      <div class="header-space" />
      {view.value === 'chat' && prefix.name !== null && <span class="chip">{nameOfChoice(prefix)}</span>}
      {view.value === 'chat' && (
        <IconButton
          icon={SlidersHorizontal}
          label={t.chat.settings}
          aria-expanded={isSettingsOpen.value}
          onClick={() => {
            isSettingsOpen.value = !isSettingsOpen.value
          }}
        />
      )}
    </header>
  )
}

/** Which model there is, and how far it is loaded. It opens the models dialog. */
function ModelButton() {
  const state = modelState.value
  const t = strings.value.models
  const share =
    state.state === 'loading' && state.progress && state.progress.totalBytes > 0
      ? state.progress.doneBytes / state.progress.totalBytes
      : undefined
  return (
    <button
      type="button"
      class="model-button"
      aria-haspopup="dialog"
      onClick={() => {
        isModelsOpen.value = true
      }}
    >
      <span class={`dot dot-${state.state}`} aria-hidden="true" />
      {state.state === 'none' ? t.choose : nameOfModel(state.source)}
      {state.state === 'loading' && (
        <span class="model-progress">{share === undefined ? '…' : formatPercent(share)}</span>
      )}
      <ChevronDown size={16} aria-hidden="true" />
    </button>
  )
}
