import { strings } from '../i18n/index.js'
import { changeRunOptions, runOptions } from '../model/run-options.js'
import { Segmented, Select } from '../ui/field.js'

const CONTEXT_LENGTHS = [1024, 2048, 4096, 8192, 16_384, 32_768]

/** How the next model that is loaded is run. */
export function RunOptionsForm() {
  const t = strings.value.models
  const { device, activations, contextLength, quantizeBits } = runOptions.value
  return (
    <section class="group" aria-label={t.options}>
      <h3>{t.options}</h3>
      <div class="options-grid">
        <Select
          label={t.context}
          help={t.contextHelp}
          value={String(contextLength ?? '')}
          options={[
            { value: '', label: t.contextAuto },
            ...CONTEXT_LENGTHS.map((length) => ({ value: String(length), label: String(length) })),
          ]}
          onChange={(value) => changeRunOptions({ contextLength: value === '' ? null : Number(value) })}
        />
        <Segmented
          label={t.adapter}
          value={device}
          options={[
            { value: 'auto', label: t.adapterFast },
            { value: 'low-power', label: t.adapterSaving },
          ]}
          onChange={(value) => changeRunOptions({ device: value })}
        />
        <Segmented
          label={t.activations}
          value={activations}
          options={[
            { value: 'int8', label: t.activationsInt8 },
            { value: 'float', label: t.activationsFloat },
          ]}
          onChange={(value) => changeRunOptions({ activations: value })}
        />
        <Segmented
          label={t.quantize}
          value={String(quantizeBits ?? '')}
          options={[
            { value: '4', label: t.bits(4) },
            { value: '8', label: t.bits(8) },
            { value: '', label: t.quantizeNone },
          ]}
          onChange={(value) =>
            changeRunOptions({ quantizeBits: value === '4' ? 4 : value === '8' ? 8 : null })
          }
        />
      </div>
    </section>
  )
}
