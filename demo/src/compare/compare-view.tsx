import { Minus, Plus, Trash2 } from 'lucide-preact'
import { useState } from 'preact/hooks'
import { Ending, SegmentView, Thinking } from '../chat/answer.js'
import { liveAnswers } from '../chat/answering.js'
import { Composer } from '../chat/composer.js'
import { MeasuresLine } from '../chat/measures.js'
import type { Answer, PrefixChoice } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { smallModelAnswers } from '../model/model.js'
import { nameOfChoice } from '../prefixes/name-of-choice.js'
import { PrefixPicker } from '../prefixes/prefix-settings.js'
import { Button } from '../ui/button.js'
import { CompareShipped } from './compare-shipped.js'
import { compare, type Round, rounds, sides, toggleThird } from './comparison.js'

/** The same prompt with two or three prefixes, side by side. */
export function CompareView() {
  const t = strings.value
  const { left, middle, right } = t.compare
  const labels = sides.value.length === 2 ? [left, right] : [left, middle, right]
  return (
    <div class="chat">
      <div class="chat-scroll">
        <div class="column column-wide compare">
          <header class="view-header">
            <h1>{t.compare.title}</h1>
            <p>{t.compare.intro}</p>
          </header>
          <div class="compare-sides">
            {sides.value.map((_, index) => (
              <SidePicker key={index} index={index} label={labels[index]} />
            ))}
          </div>
          <Button small kind="quiet" icon={sides.value.length === 2 ? Plus : Minus} onClick={toggleThird}>
            {sides.value.length === 2 ? t.compare.addThird : t.compare.removeThird}
          </Button>
          {rounds.value.length === 0 && <Empty />}
          {rounds.value.map((round) => (
            <RoundView key={round.id} round={round} />
          ))}
          {rounds.value.length > 0 && (
            <Button
              small
              kind="quiet"
              icon={Trash2}
              onClick={() => {
                rounds.value = []
              }}
            >
              {t.compare.clear}
            </Button>
          )}
        </div>
      </div>
      <div class="chat-foot">
        <div class="column">
          <Composer placeholder={t.compare.placeholder} onSend={compare} />
          <p class="chat-note">{t.compare.settingsNote}</p>
        </div>
      </div>
    </div>
  )
}

/** What is here before the first prompt. */
function Empty() {
  const t = strings.value
  return (
    <>
      <p class="empty-note">{t.compare.empty}</p>
      {smallModelAnswers.value && (
        <ul class="suggestions">
          <li>
            <CompareShipped />
          </li>
        </ul>
      )}
    </>
  )
}

function SidePicker({ index, label }: { readonly index: number; readonly label: string }) {
  const put = (choice: PrefixChoice) => {
    sides.value = sides.value.with(index, choice)
  }
  return (
    <div class="compare-side">
      <PrefixPicker label={label} value={sides.value[index]} onChange={put} />
    </div>
  )
}

function RoundView({ round }: { readonly round: Round }) {
  const [id] = useState(`prompt-${round.id}`)
  return (
    <section class="round" aria-labelledby={id}>
      <p class="question-text" id={id}>
        {round.prompt}
      </p>
      <div class="compare-sides">
        {round.answers.map((answer, index) => (
          <SideAnswer key={index} answer={answer} liveId={`${round.id}-${index}`} />
        ))}
      </div>
    </section>
  )
}

function SideAnswer({ answer, liveId }: { readonly answer: Answer; readonly liveId: string }) {
  const t = strings.value
  const running = answer.end === undefined
  const live = running ? liveAnswers.value.get(liveId) : undefined
  const segments = live?.segments ?? answer.segments
  const title = nameOfChoice(answer.prefix)
  return (
    <article class="side-answer" aria-label={title} aria-busy={running}>
      <h2>{title}</h2>
      {segments.map((segment, index) => (
        <SegmentView key={index} segment={segment} live={running} />
      ))}
      {running && segments.length === 0 && (live ? <Thinking /> : <p class="thinking">{t.chat.waiting}</p>)}
      <Ending answer={answer} />
      {answer.measures && <MeasuresLine measures={answer.measures} prefix={{ name: null, strength: 1 }} />}
    </article>
  )
}
