import { ArrowUp, Square } from 'lucide-preact'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import { modelState } from '../model/model.js'
import { isTouch } from '../ui/is-touch.js'
import { isAnswering, stopAnswer } from './session.js'

interface ComposerProps {
  readonly placeholder: string
  readonly onSend: (text: string) => void
  /** Another one takes the focus: one comes to write. */
  readonly focusFor?: string
  /** Left of the button. */
  readonly children?: ComponentChildren
}

/** Where a question is written. Enter sends it, Shift+Enter starts a line. */
export function Composer({ placeholder, onSend, focusFor, children }: ComposerProps) {
  const [text, setText] = useState('')
  const area = useRef<HTMLTextAreaElement>(null)
  const busy = isAnswering.value
  const t = strings.value.chat
  useAutosize(area, text)
  useFocus(area, focusFor)
  const send = () => {
    if (busy || text.trim() === '') return
    setText('')
    onSend(text.trim())
  }
  const stop = () => {
    stopAnswer()
    // The button turns into one that is disabled.
    focusArea(area)
  }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={text}
        placeholder={placeholder}
        aria-label={placeholder}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (!sends(event)) return
          event.preventDefault()
          send()
        }}
      />
      {children}
      {busy ? (
        <button type="button" class="send" aria-label={t.stop} title={t.stop} onClick={stop}>
          <Square size={14} fill="currentColor" aria-hidden="true" />
        </button>
      ) : (
        <button type="submit" class="send" aria-label={t.send} title={t.send} disabled={text.trim() === ''}>
          <ArrowUp size={19} aria-hidden="true" />
        </button>
      )}
    </form>
  )
}

/** Whether a key sends what is written. A keyboard on the screen has no Shift+Enter, so that its Enter starts a line. */
export function sends({ key, shiftKey, isComposing }: KeyboardEvent): boolean {
  // While an input method is composing, Enter chooses a word.
  return key === 'Enter' && !shiftKey && !isComposing && !isTouch.matches
}

type Area = { readonly current: HTMLTextAreaElement | null }

/** Where one touches, the focus would cover what is read with a keyboard. */
function focusArea(area: Area): void {
  if (!isTouch.matches) area.current?.focus()
}

/** Gives the focus to the area for another `focusFor`, and where what had it is gone, as a suggestion that was chosen. */
function useFocus(area: Area, focusFor: string | undefined): void {
  const hasModel = modelState.value.state !== 'none'
  const busy = isAnswering.value
  useEffect(() => {
    if (focusFor !== undefined) focusArea(area)
  }, [focusFor])
  const takeLostFocus = (now: boolean) => {
    if (now && document.activeElement === document.body) focusArea(area)
  }
  useEffect(() => takeLostFocus(hasModel), [hasModel])
  useEffect(() => takeLostFocus(busy), [busy])
}

/** Lets a text area grow with its text; the style sheet says how far. */
export function useAutosize(area: Area, text: string): void {
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])
}
