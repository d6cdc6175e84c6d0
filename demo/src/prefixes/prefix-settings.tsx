import { FileUp, FolderUp } from 'lucide-preact'
import { changeSettings, currentSettings } from '../conversation/store.js'
import type { PrefixChoice } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { Button } from '../ui/button.js'
import { Select, Slider } from '../ui/field.js'
import { chooseFiles } from '../ui/file-choice.js'
import { addPrefix, prefixNames } from './prefixes.js'

interface PrefixPickerProps {
  readonly label: string
  readonly value: PrefixChoice
  readonly onChange: (value: PrefixChoice) => void
}

/** Chooses one of the prefixes, or none, and how much it weighs. */
export function PrefixPicker({ label, value, onChange }: PrefixPickerProps) {
  const t = strings.value.prefixes
  const { name, strength } = value
  // One that was deleted is still the choice of old conversations.
  const names =
    name !== null && !prefixNames.value.includes(name) ? [...prefixNames.value, name] : prefixNames.value
  return (
    <>
      <Select
        label={label}
        value={name ?? ''}
        options={[{ value: '', label: t.none }, ...names.map((one) => ({ value: one, label: one }))]}
        onChange={(chosen) => onChange({ name: chosen || null, strength })}
      />
      {name !== null && (
        <Slider
          label={t.strength}
          help={t.strengthHelp}
          value={strength}
          min={0}
          max={1}
          step={0.05}
          onChange={(next) => onChange({ name, strength: next })}
        />
      )}
    </>
  )
}

/** The prefix of the shown conversation. */
export function PrefixSettings() {
  const t = strings.value.prefixes
  const add = async (folder: boolean) => addPrefix(await chooseFiles({ folder, multiple: true }))
  return (
    <section class="panel-section">
      <h3>{t.title}</h3>
      <p class="section-note">{t.intro}</p>
      <PrefixPicker
        label={t.title}
        value={currentSettings.value.prefix}
        onChange={(prefix) => changeSettings({ prefix })}
      />
      <div class="button-row">
        <Button small icon={FileUp} onClick={() => add(false)}>
          {t.choose}
        </Button>
        <Button small icon={FolderUp} onClick={() => add(true)}>
          {t.chooseFolder}
        </Button>
      </div>
    </section>
  )
}
