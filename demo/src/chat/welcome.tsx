import { ArrowUpRight, Boxes, Columns3, Sparkles } from 'lucide-preact'
import { compareShipped } from '../compare/comparison.js'
import { strings } from '../i18n/index.js'
import { modelState, openModel, SHIPPED, usesShipped } from '../model/model.js'
import { isModelsOpen } from '../models/models-dialog-state.js'
import { ask } from './session.js'

/** What an empty conversation shows: how to begin. */
export function Welcome() {
  const t = strings.value.chat
  const hasModel = modelState.value.state !== 'none'
  const isSmall = !hasModel || usesShipped.value
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
        {isSmall && (
          <li>
            <button type="button" class="suggestion-compare" onClick={compareShipped}>
              <Columns3 size={15} aria-hidden="true" />
              {t.comparePrefixes}
            </button>
          </li>
        )}
        {(isSmall ? t.smallSuggestions : t.suggestions).map((suggestion) => (
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
