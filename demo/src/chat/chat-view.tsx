import { useEffect, useRef } from 'preact/hooks'
import { current } from '../conversation/store.js'
import { pathTo } from '../conversation/tree.js'
import { strings } from '../i18n/index.js'
import { usesShipped } from '../model/model.js'
import { isTouch } from '../ui/is-touch.js'
import { liveAnswers } from './answering.js'
import { Composer } from './composer.js'
import { announcement, ask } from './session.js'
import { TurnView } from './turn.js'
import { Welcome } from './welcome.js'

/** Nearer than this to the end, the view follows what is written. */
const FOLLOW_PIXELS = 80

export function ChatView() {
  const { turns, current: leaf, id } = current.value
  const path = pathTo(turns, leaf)
  const scroller = useFollowing(id)
  const t = strings.value.chat
  const keys = isTouch.matches ? '' : t.hint
  const note = usesShipped.value && path.length > 0 ? t.shippedHint : keys
  return (
    <div class="chat">
      <div class="chat-scroll" ref={scroller}>
        {path.length === 0 ? (
          <Welcome />
        ) : (
          <section class="column turns" aria-label={t.label}>
            <h1 class="visually-hidden">{current.value.title}</h1>
            {path.map((turn, index) => (
              <TurnView key={turn.id} turn={turn} isLast={index === path.length - 1} />
            ))}
          </section>
        )}
      </div>
      <div class="chat-foot">
        <div class="column">
          <Composer
            onSend={ask}
            placeholder={current.value.settings.raw ? t.placeholderRaw : t.placeholder}
            {...(path.length === 0 && { focusFor: id })}
          />
          <p class="chat-note">{note}</p>
        </div>
      </div>
      <div class="visually-hidden" role="status">
        {announcement}
      </div>
    </div>
  )
}

/** Keeps the end in view while an answer grows, unless the user scrolled away from it. */
function useFollowing(conversationId: string) {
  const scroller = useRef<HTMLDivElement>(null)
  const following = useRef(true)
  const leaf = current.value.current
  // Reading the signal draws this component again with every piece.
  const live = liveAnswers.value
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const notice = () => {
      following.current = element.scrollHeight - element.scrollTop - element.clientHeight < FOLLOW_PIXELS
    }
    element.addEventListener('scroll', notice, { passive: true })
    return () => element.removeEventListener('scroll', notice)
  }, [])
  useEffect(() => {
    following.current = true
  }, [conversationId, leaf])
  useEffect(() => {
    const element = scroller.current
    if (element && following.current) element.scrollTop = element.scrollHeight
  }, [conversationId, leaf, live])
  return scroller
}
