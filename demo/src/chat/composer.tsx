import { ArrowUp, Square } from 'lucide-preact'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import { isAnswering, stopAnswer } from './session.js'

interface ComposerProps {
  readonly placeholder: string
  readonly onSend: (text: string) => void
  readonly autoFocus?: boolean
  /** Left of the button. */
  readonly children?: ComponentChildren
}

/** Where a question is written. Enter sends it, Shift+Enter starts a line. */
export function Composer({ placeholder, onSend, autoFocus = false, children }: ComposerProps) {
  const [text, setText] = useState('')
  const area = useRef<HTMLTextAreaElement>(null)
  const busy = isAnswering.value
  const t = strings.value.chat
  useAutosize(area, text)
  const send = () => {
    if (busy || text.trim() === '') return
    setText('')
    onSend(text.trim())
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
        // biome-ignore lint/a11y/noAutofocus: writing is what one comes for
        autoFocus={autoFocus}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          // While an input method is composing, Enter chooses a word.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      {children}
      {busy ? (
        <button type="button" class="send" aria-label={t.stop} title={t.stop} onClick={stopAnswer}>
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

/** Lets a text area grow with its text; the style sheet says how far. */
export function useAutosize(area: { readonly current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])
}
