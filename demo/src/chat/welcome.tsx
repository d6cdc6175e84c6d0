import { ArrowUpRight, Boxes, Sparkles } from 'lucide-preact'
import { CompareShipped } from '../compare/compare-shipped.js'
import { currentSettings } from '../conversation/store.js'
import { strings } from '../i18n/index.js'
import { modelState, openModel, SHIPPED, smallModelAnswers } from '../model/model.js'
import { SHIPPED_QUESTION } from '../model/shipped.js'
import { isModelsOpen } from '../models/models-dialog-state.js'
import { isShippedPrefix } from '../prefixes/prefixes.js'
import { hasExample } from '../tools/examples.js'
import { ask } from './session.js'

/** Questions that the model can answer as the conversation is set: a prefix answers only what it was trained for. */
function suggestions(): readonly string[] {
  const t = strings.value.chat
  const { prefix, raw, tools } = currentSettings.value
  if (prefix.name !== null) return isShippedPrefix(prefix.name) ? [SHIPPED_QUESTION] : []
  if (raw) return []
  if (!smallModelAnswers.value) return t.suggestions
  return hasExample(tools) ? [t.toolSuggestion, ...t.smallSuggestions] : t.smallSuggestions
}

/** What an empty conversation shows: how to begin. */
export function Welcome() {
  const t = strings.value.chat
  const hasModel = modelState.value.state !== 'none'
  return (
    <div class="column welcome">
      <img class="welcome-mark" src="./icon.svg" alt="" width={52} height={52} />
      <h1>{hasModel ? t.welcome : t.welcomeNone}</h1>
      {!hasModel && (
        <>
          <p class="welcome-text">{t.welcomeText}</p>
          <div class="welcome-cards">
            <button type="button" class="card card-primary" onClick={() => openModel(SHIPPED)}>
              <Sparkles size={20} aria-hidden="true" />
              <strong>{t.startShipped}</strong>
              <span>{t.startShippedNote}</span>
            </button>
            <button
              type="button"
              class="card"
              onClick={() => {
                isModelsOpen.value = true
              }}
            >
              <Boxes size={20} aria-hidden="true" />
              <strong>{t.startOther}</strong>
              <span>{t.startOtherNote}</span>
            </button>
          </div>
        </>
      )}
      <ul class="suggestions">
        {smallModelAnswers.value && (
          <li>
            <CompareShipped />
          </li>
        )}
        {suggestions().map((suggestion) => (
          <li key={suggestion}>
            <button type="button" onClick={() => ask(suggestion)}>
              {suggestion}
              <ArrowUpRight size={15} aria-hidden="true" />
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
