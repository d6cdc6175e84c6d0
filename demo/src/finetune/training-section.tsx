import { Download, GraduationCap, MessageSquare, Square } from 'lucide-preact'
import { formatDuration, formatNumber } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { keepsModels } from '../storage/store.js'
import { Button } from '../ui/button.js'
import { Field } from '../ui/field.js'
import { Progress } from '../ui/progress.js'
import { LossChart } from './loss-chart.js'
import { isUsable } from './settings.js'
import { isCurrent, readData } from './training-data.js'
import {
  chatWith,
  losses,
  prefixName,
  type Run,
  run,
  saveTrained,
  startTraining,
  stopTraining,
  takenBy,
} from './training-run.js'
import { trainingShare } from './training-share.js'

type Running = Extract<Run, { secondsLeft: unknown }>
type Ended = Exclude<Run, Running>

const isUnderWay = (now: Run): now is Running => 'secondsLeft' in now

/** Starts the training, shows it, and offers what came of it. */
export function TrainingSection() {
  const t = strings.value.finetune
  const now = run.value
  if (!readData.value && !now) return null
  return (
    <section class="view-section" aria-labelledby="finetune-training">
      <h2 id="finetune-training">{t.training}</h2>
      {now && isUnderWay(now) && <UnderWay now={now} />}
      {now && losses.value.length > 0 && <LossChart maxSteps={now.maxSteps} />}
      {now && !isUnderWay(now) && <Outcome now={now} />}
      {!(now && isUnderWay(now)) && <Start />}
    </section>
  )
}

function Start() {
  const t = strings.value.finetune
  const name = prefixName.value
  const taken = takenBy(name.trim())
  const canStart = isCurrent.value && isUsable.value && name.trim() !== '' && taken !== 'other'
  return (
    <form
      class="finetune-start"
      onSubmit={(event) => {
        event.preventDefault()
        if (canStart) startTraining()
      }}
    >
      <Field
        label={t.name}
        help={taken === 'training' ? t.nameResumes : ''}
        problem={taken === 'other' ? t.nameTaken : undefined}
      >
        {(tie) => (
          <input
            {...tie}
            class="input"
            value={name}
            maxLength={60}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => {
              prefixName.value = event.currentTarget.value
            }}
          />
        )}
      </Field>
      <Button kind={run.value ? 'plain' : 'primary'} type="submit" icon={GraduationCap} disabled={!canStart}>
        {taken === 'training' ? t.resume : t.start}
      </Button>
    </form>
  )
}

function UnderWay({ now }: { readonly now: Running }) {
  const t = strings.value.finetune
  const { state, step, maxSteps, tokensPerSecond, secondsLeft } = now
  const last = losses.value.at(-1)
  const share = trainingShare.value
  const isPreparing = state === 'preparing'
  const parts = [
    t.step(formatNumber(step), formatNumber(maxSteps)),
    ...(last ? [t.lossNow(formatNumber(last.loss))] : []),
    ...(tokensPerSecond === undefined ? [] : [t.speed(formatNumber(tokensPerSecond))]),
    ...(secondsLeft === undefined ? [] : [t.left(formatDuration(secondsLeft))]),
  ]
  return (
    <div class="finetune-status">
      <Progress label={t.training} value={isPreparing ? undefined : share} />
      <p class="download-status">
        {isPreparing ? t.preparing : parts.map((part) => <span key={part}>{part}</span>)}
      </p>
      <div class="button-row">
        <Button icon={Square} disabled={state === 'stopping'} onClick={stopTraining}>
          {state === 'stopping' ? t.stopping : t.stop}
        </Button>
        <p class="view-note">{t.busyNote}</p>
      </div>
    </div>
  )
}

function headline({ state, name, checkpoint }: Ended): string {
  const t = strings.value.finetune
  if (state === 'completed') return t.completed(name)
  if (state === 'stopped') return checkpoint === undefined ? t.stoppedEmpty : t.stopped(checkpoint)
  return checkpoint === undefined ? t.failedEmpty : t.failed(checkpoint)
}

function Outcome({ now }: { readonly now: Ended }) {
  const t = strings.value.finetune
  const { name, step, seconds, checkpoint } = now
  const last = losses.value.at(-1)
  const facts = last && t.ended(formatNumber(step), formatNumber(last.loss), formatDuration(seconds))
  return (
    <div class="finetune-outcome" role="status">
      <strong>{headline(now)}</strong>
      <p class="view-note">
        {facts} {checkpoint !== undefined && (keepsModels.value ? t.kept : t.keptUntilClosed)}
      </p>
      {checkpoint !== undefined && (
        <div class="button-row">
          <Button kind="primary" icon={MessageSquare} onClick={() => chatWith(now)}>
            {t.chat}
          </Button>
          <Button icon={Download} onClick={() => saveTrained(name)}>
            {t.save}
          </Button>
        </div>
      )}
    </div>
  )
}
