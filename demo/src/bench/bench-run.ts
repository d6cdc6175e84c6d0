import { signal } from '@preact/signals'
import type {
  BenchEvent,
  BenchPart,
  BenchRequest,
  BenchStage,
  Ceilings,
  KernelReport,
  ModelReport,
} from '../../../bench/browser/index.js'
import { strings } from '../i18n/index.js'
import { closeModel } from '../model/model.js'
import { report } from '../problems/problems.js'
import { showToast } from '../shell/toast.js'
import { saveFile } from '../ui/file-choice.js'

/** How far the measurements are. */
export interface BenchStatus {
  readonly stage: BenchStage
  readonly name: string
  readonly share: number
}

export const status = signal<BenchStatus | undefined>(undefined)
export const ceilings = signal<Ceilings | undefined>(undefined)
export const kernelReport = signal<KernelReport | undefined>(undefined)
export const modelReport = signal<ModelReport | undefined>(undefined)

let worker: Worker | undefined

function take(event: BenchEvent): void {
  switch (event.type) {
    case 'stage':
      status.value = event
      break
    case 'ceilings':
      ceilings.value = event.ceilings
      break
    case 'kernels':
      kernelReport.value = event.report
      break
    case 'model':
      modelReport.value = event.report
      break
    case 'done':
      end()
      break
    case 'failed': {
      end()
      const { name, message, code } = event
      report(Object.assign(new Error(message), { name, code }))
      break
    }
  }
}

function end(): void {
  worker?.terminate()
  worker = undefined
  status.value = undefined
}

/** Measures in a worker, with the memory of the GPU for itself. */
export function startBench(parts: readonly BenchPart[], shape: BenchRequest['shape']): void {
  closeModel()
  end()
  kernelReport.value = undefined
  modelReport.value = undefined
  status.value = { stage: 'device', name: '', share: 0 }
  worker = new Worker(new URL('../../../bench/browser/worker.ts', import.meta.url), {
    type: 'module',
    name: 'bench',
  })
  worker.onmessage = ({ data }) => take(data as BenchEvent)
  worker.onerror = ({ message }) => take({ type: 'failed', name: 'Error', message })
  worker.postMessage({ parts, shape } satisfies BenchRequest)
}

/** What was measured until now stays. */
export function stopBench(): void {
  end()
  showToast(strings.value.bench.stopped)
}

/** Saves the reports in the form of `npm run bench` and `npm run bench:kernels`, a file each. */
export function exportReports(): void {
  for (const one of [kernelReport.value, modelReport.value]) {
    if (one) saveFile(`bench-${one.kind}.json`, JSON.stringify(one, null, 2))
  }
}
