import { useEffect, useState } from 'preact/hooks'
import type { TrainingSettings } from '../../../src/finetune.js'
import { formatBytes, formatNumber } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { Field, Select, Switch } from '../ui/field.js'
import {
  changeData,
  changeTraining,
  choosePreset,
  dataSettings,
  noteField,
  PRESET_CHOICES,
  type PresetChoice,
  preset,
  trainingSettings,
  wrongFields,
} from './settings.js'
import { plan, readData } from './training-data.js'
import { trainingShare } from './training-share.js'

const SCHEDULES = ['linear', 'cosine', 'constant'] as const

/** What a number may be. */
type Rule = 'positive' | 'share' | { readonly wholeFrom: number }

const FIELDS = {
  prefixLength: { wholeFrom: 1 },
  learningRate: 'positive',
  maxSteps: { wholeFrom: 1 },
  accumulationSteps: { wholeFrom: 1 },
  batchSize: { wholeFrom: 1 },
  saveInterval: { wholeFrom: 1 },
  warmupSteps: { wholeFrom: 0 },
  dropout: 'share',
  seed: { wholeFrom: 0 },
} as const satisfies Partial<Record<keyof TrainingSettings, Rule>>

type FieldName = keyof typeof FIELDS

const MAIN: readonly FieldName[] = ['prefixLength', 'learningRate', 'maxSteps', 'accumulationSteps']
const MORE: readonly FieldName[] = ['batchSize', 'saveInterval', 'warmupSteps', 'dropout', 'seed']

/** How the prefix is trained, and the memory that this takes. */
export function SettingsSection() {
  const t = strings.value.finetune
  const { schedule, prefixProjection } = trainingSettings.value
  const lengths = Object.entries(dataSettings.value).filter(
    (entry): entry is [LengthName, number] => typeof entry[1] === 'number',
  )
  return (
    <section class="view-section" aria-labelledby="finetune-settings">
      <h2 id="finetune-settings">{t.settings}</h2>
      {/* What is trained now keeps the settings that it was begun with. */}
      <fieldset
        class="finetune-settings"
        disabled={trainingShare.value !== undefined}
        aria-labelledby="finetune-settings"
      >
        <div class="finetune-preset">
          <Select
            label={t.preset}
            value={preset.value}
            options={PRESET_CHOICES.map((value) => ({ value, label: t.presets[value] }))}
            onChange={(value) => choosePreset(value as PresetChoice)}
          />
        </div>
        <div class="finetune-grid">
          {MAIN.map((name) => (
            <SettingField key={name} name={name} />
          ))}
          {lengths.map(([name, value]) => (
            <NumberField
              key={name}
              name={name}
              label={t[name]}
              rule={{ wholeFrom: 2 }}
              value={value}
              onChange={(tokens) => changeData({ [name]: tokens })}
            />
          ))}
        </div>
        <details class="more">
          <summary>{t.more}</summary>
          <div class="finetune-grid">
            {MORE.map((name) => (
              <SettingField key={name} name={name} />
            ))}
            <Select
              label={t.schedule}
              value={schedule}
              options={SCHEDULES.map((value) => ({ value, label: t.schedules[value] }))}
              onChange={(value) => changeTraining({ schedule: value as TrainingSettings['schedule'] })}
            />
          </div>
          <Switch
            label={t.projection}
            help={t.projectionHelp}
            checked={prefixProjection}
            onChange={(checked) => changeTraining({ prefixProjection: checked })}
          />
        </details>
      </fieldset>
      <MemoryPlan />
    </section>
  )
}

type LengthName = 'maxSourceLength' | 'maxTargetLength' | 'maxLength'

function SettingField({ name }: { readonly name: FieldName }) {
  return (
    <NumberField
      name={name}
      label={strings.value.finetune[name]}
      rule={FIELDS[name]}
      value={trainingSettings.value[name]}
      onChange={(value) => changeTraining({ [name]: value })}
    />
  )
}

interface NumberFieldProps {
  readonly name: string
  readonly label: string
  readonly rule: Rule
  readonly value: number
  readonly onChange: (value: number) => void
}

function follows(rule: Rule, value: number): boolean {
  if (rule === 'positive') return Number.isFinite(value) && value > 0
  if (rule === 'share') return value >= 0 && value < 1
  return Number.isSafeInteger(value) && value >= rule.wholeFrom
}

function NumberField({ name, label, rule, value, onChange }: NumberFieldProps) {
  const t = strings.value.finetune
  const isWrong = wrongFields.value.has(name)
  const [text, setText] = useState(String(value))
  // A preset replaces what was written, wrong or not.
  useEffect(() => {
    if (!isWrong) setText(String(value))
  }, [value, isWrong])
  const problem =
    rule === 'positive'
      ? t.wrongNumber('0')
      : rule === 'share'
        ? t.wrongShare
        : t.wrongWhole(formatNumber(rule.wholeFrom))
  return (
    <Field label={label} problem={isWrong ? problem : undefined}>
      {(tie) => (
        <input
          {...tie}
          class="input"
          inputMode={rule === 'positive' || rule === 'share' ? 'decimal' : 'numeric'}
          value={text}
          aria-invalid={isWrong}
          onChange={(event) => {
            const written = event.currentTarget.value.trim()
            const number = Number(written)
            const fits = written !== '' && follows(rule, number)
            setText(written)
            noteField(name, !fits)
            if (fits) onChange(number)
          }}
        />
      )}
    </Field>
  )
}

/** GPU memory of the training, by purpose. */
function MemoryPlan() {
  const t = strings.value.finetune
  const data = readData.value
  if (!data) return null
  const planned = plan.value
  if (!planned) {
    return (
      <p class="view-note" role="status">
        {t.planning}
      </p>
    )
  }
  const total = planned.reduce((sum, { bytes }) => sum + bytes, 0)
  const purposes: Readonly<Record<string, string>> = t.purposes
  return (
    <details class="more finetune-memory">
      <summary>
        {t.memory}: {t.memoryOf(formatBytes(total), formatBytes(data.model.memory.total))}
      </summary>
      <dl class="facts">
        {planned.map(({ purpose, bytes }) => (
          <div key={purpose} class="fact">
            <dt>{purposes[purpose] ?? purpose}</dt>
            <dd>{formatBytes(bytes)}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
