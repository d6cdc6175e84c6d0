import { ChevronLeft, ChevronRight, FileText, FileUp, FlaskConical } from 'lucide-preact'
import { formatNumber } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { report } from '../problems/problems.js'
import { Button, IconButton } from '../ui/button.js'
import { chooseFiles } from '../ui/file-choice.js'
import { Progress } from '../ui/progress.js'
import {
  chooseData,
  dataFile,
  dataProblem,
  isReading,
  preview,
  readData,
  showSample,
} from './training-data.js'
import { prefixName } from './training-run.js'
import { trainingShare } from './training-share.js'

const EXAMPLE = 'examples/ads-train.json'
const ENDING = /\.(jsonl?|csv)$/i
const MAX_NAME = 60

async function take(file: File | undefined): Promise<void> {
  if (!file) return
  prefixName.value = file.name.replace(ENDING, '').slice(0, MAX_NAME)
  await chooseData(file)
}

async function takeExample(): Promise<void> {
  const response = await fetch(new URL(EXAMPLE, document.baseURI))
  await take(new File([await response.blob()], EXAMPLE.split('/')[1]))
}

/** Which data there are, and what of them is learnt. */
export function DataSection() {
  const t = strings.value.finetune
  const file = dataFile.value
  const choose = async () => take((await chooseFiles({ accept: '.json,.jsonl,.csv' }))[0])
  return (
    <section class="view-section" aria-labelledby="finetune-data">
      <h2 id="finetune-data">{t.data}</h2>
      <p class="view-note">{t.dataNote}</p>
      {file && (
        <div class="finetune-file">
          <FileText size={19} aria-hidden="true" />
          <div class="item-name">
            <strong>{file.name}</strong>
            <DataFacts />
          </div>
        </div>
      )}
      <div class="button-row">
        <Button
          kind={file ? 'plain' : 'primary'}
          icon={FileUp}
          disabled={trainingShare.value !== undefined}
          onClick={() => choose().catch(report)}
        >
          {file ? t.chooseOther : t.choose}
        </Button>
        {!file && (
          <Button icon={FlaskConical} onClick={() => takeExample().catch(report)}>
            {t.example}
          </Button>
        )}
      </div>
      <SamplePreview />
    </section>
  )
}

function DataFacts() {
  const t = strings.value.finetune
  if (isReading.value) return <Progress label={t.reading} value={undefined} />
  if (dataProblem.value !== undefined) {
    return (
      <p class="field-problem" role="alert">
        {t.unreadable} <span lang="en">{dataProblem}</span>
      </p>
    )
  }
  const data = readData.value
  if (!data) return null
  const { length, tokens, longest, truncated, empty, settings } = data.dataset
  const parts = [
    t.kind[settings.format],
    t.samples(length),
    t.tokens(formatNumber(tokens)),
    t.longest(longest),
    ...(truncated > 0 ? [t.cut(truncated)] : []),
    ...(empty > 0 ? [t.leftOut(empty)] : []),
  ]
  return <span>{parts.join(' · ')}</span>
}

/** A sample as the model will see it. */
function SamplePreview() {
  const t = strings.value.finetune
  const data = readData.value
  const shown = preview.value
  if (!data || !shown) return null
  const { index, parts } = shown
  const { length } = data.dataset
  const title = t.sample(formatNumber(index + 1), formatNumber(length))
  const go = (step: number) => showSample(index + step).catch(report)
  return (
    <figure class="sample">
      <figcaption class="sample-head">
        <span>{title}</span>
        <span class="sample-steps">
          <IconButton icon={ChevronLeft} label={t.previous} disabled={index === 0} onClick={() => go(-1)} />
          <IconButton
            icon={ChevronRight}
            label={t.next}
            disabled={index === length - 1}
            onClick={() => go(1)}
          />
        </span>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="sample-text" tabIndex={0} aria-label={title}>
        {parts.map(({ text, learnt }, place) =>
          learnt ? <mark key={place}>{text}</mark> : <span key={place}>{text}</span>,
        )}
      </section>
      <p class="sample-note">{t.learnt}</p>
    </figure>
  )
}
