import { useEffect } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import '../styles/finetune.css'
import { DataSection } from './data-section.js'
import { SettingsSection } from './settings-section.js'
import { followSettings } from './training-data.js'
import { TrainingSection } from './training-section.js'

/** Trains a prefix over the loaded model. */
export function FinetuneView() {
  useEffect(followSettings, [])
  const t = strings.value.finetune
  return (
    <div class="view-scroll">
      <div class="column column-view">
        <header class="view-header">
          <h1>{t.title}</h1>
          <p>{t.intro}</p>
        </header>
        <DataSection />
        <SettingsSection />
        <TrainingSection />
      </div>
    </div>
  )
}
