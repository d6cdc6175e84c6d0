import { RotateCcw, X } from 'lucide-preact'
import { DEFAULT_SAMPLING } from '../conversation/defaults.js'
import { changeSettings, currentSettings } from '../conversation/store.js'
import type { Sampling } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { PrefixSettings } from '../prefixes/prefix-settings.js'
import { isSettingsOpen } from '../shell/panels.js'
import { ToolSettings } from '../tools/tool-settings.js'
import { Button, IconButton } from '../ui/button.js'
import { Field, Slider, Switch } from '../ui/field.js'

/** What can be set for the shown conversation. */
export function SettingsPanel() {
  const t = strings.value
  const { system, raw } = currentSettings.value
  return (
    <aside class="panel" aria-label={t.settings.title}>
      <header class="panel-header">
        <h2>{t.settings.title}</h2>
        <IconButton
          icon={X}
          label={t.app.close}
          onClick={() => {
            isSettingsOpen.value = false
          }}
        />
      </header>
      <div class="panel-content">
        <section class="panel-section">
          <Field label={t.settings.system}>
            {(tie) => (
              <textarea
                {...tie}
                class="input"
                rows={4}
                placeholder={t.settings.systemPlaceholder}
                disabled={raw}
                value={system}
                onInput={(event) => changeSettings({ system: event.currentTarget.value })}
              />
            )}
          </Field>
        </section>
        <PrefixSettings />
        <SamplingSettings />
        <ToolSettings />
        <section class="panel-section">
          <Switch
            label={t.settings.raw}
            help={t.settings.rawHelp}
            checked={raw}
            onChange={(checked) => changeSettings({ raw: checked })}
          />
        </section>
      </div>
    </aside>
  )
}

const isOfficial = (sampling: Sampling) =>
  Object.entries(DEFAULT_SAMPLING).every(([name, value]) => sampling[name as keyof Sampling] === value)

function SamplingSettings() {
  const t = strings.value.settings
  const { sampling } = currentSettings.value
  const change = (changes: Partial<Sampling>) => changeSettings({ sampling: { ...sampling, ...changes } })
  return (
    <section class="panel-section">
      <div class="section-head">
        <h3>{t.sampling}</h3>
        <Button
          small
          kind="quiet"
          icon={RotateCcw}
          disabled={isOfficial(sampling)}
          onClick={() => change(DEFAULT_SAMPLING)}
        >
          {t.official}
        </Button>
      </div>
      <Slider
        label={t.temperature}
        help={t.temperatureHelp}
        value={sampling.temperature}
        min={0}
        max={2}
        step={0.05}
        onChange={(temperature) => change({ temperature })}
      />
      <Slider
        label={t.topP}
        help={t.topPHelp}
        value={sampling.topP}
        min={0.05}
        max={1}
        step={0.05}
        onChange={(topP) => change({ topP })}
      />
      <Slider
        label={t.topK}
        help={t.topKHelp}
        value={sampling.topK}
        min={0}
        max={200}
        step={1}
        onChange={(topK) => change({ topK })}
      />
      <div class="field-pair">
        <NumberField
          label={t.maxTokens}
          help={t.maxTokensHelp}
          placeholder={t.unlimited}
          min={1}
          value={sampling.maxTokens}
          onChange={(maxTokens) => change({ maxTokens })}
        />
        <NumberField
          label={t.seed}
          help={t.seedHelp}
          placeholder={t.random}
          min={0}
          value={sampling.seed}
          onChange={(seed) => change({ seed })}
        />
      </div>
      <details class="more">
        <summary>{t.more}</summary>
        <Slider
          label={t.minP}
          help={t.minPHelp}
          value={sampling.minP}
          min={0}
          max={1}
          step={0.01}
          onChange={(minP) => change({ minP })}
        />
        <Slider
          label={t.repetition}
          help={t.repetitionHelp}
          value={sampling.repetitionPenalty}
          min={0.5}
          max={2}
          step={0.05}
          onChange={(repetitionPenalty) => change({ repetitionPenalty })}
        />
        <Slider
          label={t.presence}
          help={t.presenceHelp}
          value={sampling.presencePenalty}
          min={-2}
          max={2}
          step={0.1}
          onChange={(presencePenalty) => change({ presencePenalty })}
        />
        <Slider
          label={t.frequency}
          help={t.frequencyHelp}
          value={sampling.frequencyPenalty}
          min={-2}
          max={2}
          step={0.1}
          onChange={(frequencyPenalty) => change({ frequencyPenalty })}
        />
      </details>
    </section>
  )
}

interface NumberFieldProps {
  readonly label: string
  readonly help: string
  readonly placeholder: string
  readonly min: number
  readonly value: number | null
  readonly onChange: (value: number | null) => void
}

/** A whole number, or nothing. */
function NumberField({ label, help, placeholder, min, value, onChange }: NumberFieldProps) {
  return (
    <Field label={label} help={help}>
      {(tie) => (
        <input
          {...tie}
          class="input"
          inputMode="numeric"
          placeholder={placeholder}
          value={value ?? ''}
          onInput={(event) => {
            const text = event.currentTarget.value.trim()
            const number = Number(text)
            if (text === '') onChange(null)
            else if (Number.isSafeInteger(number) && number >= min) onChange(number)
          }}
        />
      )}
    </Field>
  )
}
