import { adapterName, type VariantChoices } from '../../../src/index.js'
import { formatBytes, formatDuration } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { closeModel, readyModel } from '../model/model.js'
import { Button } from '../ui/button.js'
import { nameOfModel } from './model-name.js'

const MEMORY = ['weights', 'cache', 'prefixes', 'activations'] as const

/** What is loaded: adapter, memory, context, kernels. */
export function ModelFacts() {
  const ready = readyModel.value
  if (!ready) return null
  const t = strings.value.models
  const { model, source, loadSeconds } = ready
  const { memory, adapter, contextLength } = model
  const parts = MEMORY.filter((kind) => memory[kind] > 0).map(
    (kind) => `${t.memoryParts[kind]} ${formatBytes(memory[kind])}`,
  )
  const isSoftware = /swiftshader|llvmpipe/i.test(`${adapter.architecture} ${adapter.description}`)
  return (
    <section class="download-form">
      <div class="section-head">
        <strong>{nameOfModel(source)}</strong>
        <Button small onClick={closeModel}>
          {t.unload}
        </Button>
      </div>
      <dl class="facts">
        <dt>{t.adapter}</dt>
        <dd>{adapterName(adapter)}</dd>
        <dt>{t.memory}</dt>
        <dd>
          {formatBytes(memory.total)} ({parts.join(', ')})
        </dd>
        <dt>{t.context}</dt>
        <dd>{t.contextFact(contextLength)}</dd>
        <dt>{t.loadTime}</dt>
        <dd>{formatDuration(loadSeconds)}</dd>
        <dt>{t.kernels}</dt>
        <dd>
          <Kernels variants={model.variants} />
        </dd>
      </dl>
      {isSoftware && <p class="group-note warning-note">{t.software}</p>}
    </section>
  )
}

const KERNELS = [
  'prefillProduct',
  'prefillAttention',
  'decode',
  'decodeAttention',
] as const satisfies (keyof VariantChoices)[]

/** Which kernels were chosen, and why. */
function Kernels({ variants }: { readonly variants: Partial<VariantChoices> }) {
  const t = strings.value.models
  // ONNX Runtime does not tell its own.
  const chosen = KERNELS.flatMap((name) => (variants[name] ? [{ name, ...variants[name] }] : []))
  return (
    <details class="more kernels">
      <summary>{chosen.map(({ variant }) => variant).join(', ')}</summary>
      <dl class="facts">
        {chosen.map(({ name, variant, reason }) => (
          <div key={name} class="fact">
            <dt>{t.kernelOf[name]}</dt>
            <dd>
              <code>{variant}</code> <span lang="en">{reason}</span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
