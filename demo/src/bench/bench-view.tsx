import { Download, Play, Square } from 'lucide-preact'
import { useState } from 'preact/hooks'
import type { BenchPart, BenchRequest } from '../../../bench/browser/index.js'
import { strings } from '../i18n/index.js'
import { modelState } from '../model/model.js'
import { Button } from '../ui/button.js'
import { Segmented } from '../ui/field.js'
import { Progress } from '../ui/progress.js'
import { exportReports, kernelReport, modelReport, startBench, status, stopBench } from './bench-run.js'
import { CeilingsLine, KernelTable, ModelCharts } from './results.js'

const PARTS: Readonly<Record<'both' | BenchPart, readonly BenchPart[]>> = {
  both: ['kernels', 'model'],
  kernels: ['kernels'],
  model: ['model'],
}

/** Kernels and a whole model, measured in this page. */
export function BenchView() {
  const [what, setWhat] = useState<keyof typeof PARTS>('both')
  const [shape, setShape] = useState<BenchRequest['shape']>('tiny')
  const t = strings.value.bench
  const now = status.value
  const hasResults = kernelReport.value !== undefined || modelReport.value !== undefined
  return (
    <div class="view-scroll">
      <div class="column column-wide column-view">
        <header class="view-header">
          <h1>{t.title}</h1>
          <p>{t.intro}</p>
        </header>
        <div class="bench-form">
          <Segmented
            label={t.what}
            value={what}
            options={[
              { value: 'both', label: t.both },
              { value: 'kernels', label: t.kernels },
              { value: 'model', label: t.model },
            ]}
            onChange={setWhat}
          />
          <Segmented
            label={t.shape}
            value={shape}
            options={[
              { value: 'tiny', label: t.shapeTiny },
              { value: 'chatglm3-6b', label: t.shapeFull },
            ]}
            onChange={setShape}
          />
          <div class="button-row">
            {now ? (
              <Button icon={Square} onClick={stopBench}>
                {t.stop}
              </Button>
            ) : (
              <Button kind="primary" icon={Play} onClick={() => startBench(PARTS[what], shape)}>
                {t.start}
              </Button>
            )}
            {hasResults && !now && (
              <Button icon={Download} onClick={exportReports}>
                {t.exportJson}
              </Button>
            )}
          </div>
        </div>
        <div class="bench-status" aria-live="polite">
          {now ? (
            <>
              <Progress label={t.stages[now.stage]} value={now.share > 0 ? now.share : undefined} />
              <p>
                {t.stages[now.stage]}
                {now.name && <code> {now.name}</code>}
              </p>
            </>
          ) : (
            <p>
              {t.shapeNote} {modelState.value.state === 'none' ? t.compareTab : t.freeNote}
            </p>
          )}
        </div>
        <CeilingsLine />
        <ModelCharts />
        <KernelTable />
      </div>
    </div>
  )
}
