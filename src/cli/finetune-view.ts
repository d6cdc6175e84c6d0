import type { PlannedMemory, PreviewPart, TrainingDataset, TrainingEvent } from '../finetune.js'
import { count, formatBytes, formatDuration, significant } from './format.js'
import { Progress, type Unit } from './progress.js'
import type { Terminal } from './terminal.js'

type Step = Extract<TrainingEvent, { type: 'step' }>

/** Numbers of losses have three digits behind the point, as in the official logs. */
export const formatLoss = (loss: number) => loss.toFixed(3)
const formatRate = (rate: number) => rate.toPrecision(3).replace(/\.?0+(?=e|$)/, '')

/** What the data are, once they are read. */
export function describeDataset(dataset: TrainingDataset, terminal: Terminal): void {
  const { length, tokens, longest, truncated, empty, settings } = dataset
  terminal.say(
    `${dataset.name}: ${count(length, 'sample')}, ${count(tokens, 'token')}, the longest ${longest}`,
  )
  const limit =
    settings.format === 'multi-turn'
      ? `${settings.maxLength} tokens`
      : `${settings.maxSourceLength} tokens of prompt or ${settings.maxTargetLength} of response`
  if (truncated > 0) warn(terminal, `${count(truncated, 'sample')} cut to ${limit}.`)
  if (empty > 0) warn(terminal, `${count(empty, 'record')} left out: nothing to learn from is left of them.`)
}

export function warn(terminal: Terminal, line: string): void {
  terminal.say(terminal.colors.yellow(line))
}

/** Shows a sample: what is learnt in colour, or between marks where there is none. */
export function showPreview(parts: readonly PreviewPart[], terminal: Terminal): void {
  const { colors } = terminal
  const learnt = colors.isColorSupported ? colors.green('green') : 'between ⟦ and ⟧'
  terminal.say(`The first sample; what is learnt is ${learnt}:`)
  const shown = parts.map((part) => {
    if (!part.learnt) return part.text
    // Each line by itself, so that a wrapped one keeps its colour.
    if (colors.isColorSupported) return part.text.split('\n').map(colors.green).join('\n')
    return `⟦${part.text}⟧`
  })
  for (const line of shown.join('').split('\n')) terminal.say(`  ${line}`)
}

/** The progress of a training, from its events. */
export class TrainingView {
  readonly #terminal: Terminal
  readonly #modelBytes: number
  #progress: Progress | undefined
  #batches = 1
  #maxSteps = 1
  #done = 0
  #last: Step | undefined
  #first: Step | undefined
  #tokens = 0
  #seconds = 0
  /** The folder of the last checkpoint. */
  checkpoint: string | undefined

  /** @param modelBytes GPU memory of the model */
  constructor(terminal: Terminal, modelBytes: number) {
    this.#terminal = terminal
    this.#modelBytes = modelBytes
  }

  /** The first and the last step of this run; undefined where there was none. */
  get steps(): { readonly first: Step; readonly last: Step } | undefined {
    return this.#first && this.#last && { first: this.#first, last: this.#last }
  }

  async begin(): Promise<void> {
    const unit: Unit = {
      ratio: () => this.#facts(),
      rate: () =>
        this.#seconds > 0 ? `${significant(this.#tokens / this.#seconds)} tok/s` : 'speed unknown yet',
    }
    this.#progress = await Progress.create(this.#terminal, unit, 'Preparing the GPU')
  }

  readonly show = (event: TrainingEvent): void => {
    switch (event.type) {
      case 'start':
        this.#maxSteps = event.maxSteps
        this.#done = event.step
        this.#start(event)
        break
      case 'batch':
        this.#batches = event.batches
        this.#done = event.step - 1 + event.batch / event.batches
        this.#update('Training')
        break
      case 'step':
        this.#first ??= event
        this.#last = event
        this.#tokens += event.tokens
        this.#seconds += event.seconds
        break
      case 'evaluating':
        this.#progress?.update('Evaluating', event.done, event.samples)
        break
      case 'evaluation': {
        const { step, loss, perplexity, best } = event
        this.#say(
          `step ${step}: loss on held-out data ${formatLoss(loss)}, perplexity ${significant(perplexity)}` +
            (best ? ', the best so far' : ''),
        )
        break
      }
      case 'recovered':
        this.#say(
          this.#terminal.colors.yellow(
            `step ${event.step} is done again with the GPUs that are left: ${event.why}`,
          ),
        )
        break
      case 'checkpoint':
        this.checkpoint = event.name
        this.#say(`step ${event.step}: ${event.name} saved${this.#lossNote()}`)
    }
  }

  /** Takes the progress bar away. */
  end(): void {
    this.#progress?.stop()
  }

  #start(event: Extract<TrainingEvent, { type: 'start' }>): void {
    const { step, maxSteps, parameters, memory, damaged } = event
    const { yellow } = this.#terminal.colors
    for (const folder of damaged) this.#say(yellow(`${folder} is damaged and passed over.`))
    if (step > 0) this.#say(`Resuming after step ${step} of ${maxSteps}.`)
    this.#say(`Trained: ${count(parameters, 'parameter')}`)
    this.#say(memoryLine(this.#modelBytes, memory))
    this.#update('Training')
  }

  #lossNote(): string {
    return this.#last ? `, loss ${formatLoss(this.#last.loss)}` : ''
  }

  #facts(): string {
    const step = `step ${Math.floor(this.#done)} of ${this.#maxSteps}`
    if (!this.#last) return step
    return `${step}, loss ${formatLoss(this.#last.loss)}, lr ${formatRate(this.#last.learningRate)}`
  }

  #update(label: string): void {
    this.#progress?.update(label, this.#done * this.#batches, this.#maxSteps * this.#batches)
  }

  #say(line: string): void {
    if (this.#progress) this.#progress.say(line)
    else this.#terminal.say(line)
  }
}

function memoryLine(modelBytes: number, memory: readonly PlannedMemory[]): string {
  const parts = [{ purpose: 'model', bytes: modelBytes }, ...memory]
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const listed = parts.map(({ purpose, bytes }) => `${purpose} ${formatBytes(bytes)}`)
  return `GPU memory: ${formatBytes(total)} (${listed.join(', ')})`
}

/** What a finished training comes to. */
export function describeSteps({ first, last }: { first: Step; last: Step }, seconds: number): string {
  const steps = count(last.step - first.step + 1, 'step')
  return `${steps} in ${formatDuration(seconds)}, loss ${formatLoss(first.loss)} → ${formatLoss(last.loss)}`
}
