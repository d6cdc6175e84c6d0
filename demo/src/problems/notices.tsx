import { RotateCw, Snail, TriangleAlert, X } from 'lucide-preact'
import { strings } from '../i18n/index.js'
import { modelState, openInWasm, openModel } from '../model/model.js'
import { Button, IconButton } from '../ui/button.js'
import { dismiss, isWithoutGpu, type Problem, problems } from './problems.js'
import { wasHidden } from './watch.js'

/** What went wrong, each with what to do. */
export function Notices() {
  if (problems.value.length === 0) return null
  return (
    <div class="notices">
      {problems.value.map((problem) => (
        <Notice key={problem.kind} problem={problem} />
      ))}
    </div>
  )
}

function Notice({ problem }: { readonly problem: Problem }) {
  const t = strings.value
  const { title, text } = t.problems[problem.kind]
  const state = modelState.value
  return (
    <section class="notice" role="alert">
      <TriangleAlert class="notice-icon" size={18} aria-hidden="true" />
      <div class="notice-body">
        <strong>{title}</strong>
        <p>
          {text} {problem.kind === 'lost' && wasHidden.value && t.problems.lostHidden}
        </p>
        {problem.kind === 'lost' && state.state === 'lost' && (
          <Button small kind="primary" icon={RotateCw} onClick={() => openModel(state.source, state.options)}>
            {t.problems.lost.action}
          </Button>
        )}
        {isWithoutGpu(problem) && (
          <Button
            small
            icon={Snail}
            onClick={() => {
              dismiss(problem)
              openInWasm()
            }}
          >
            {t.problems.useWasm}
          </Button>
        )}
        {problem.details !== '' && (
          <details>
            <summary>{t.problems.details}</summary>
            <p class="notice-details">{problem.details}</p>
          </details>
        )}
      </div>
      <IconButton icon={X} size={16} label={t.problems.dismiss} onClick={() => dismiss(problem)} />
    </section>
  )
}
