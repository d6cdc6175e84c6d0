import { X } from 'lucide-preact'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import { Button, IconButton } from './button.js'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly wide?: boolean
  readonly children: ComponentChildren
  readonly footer?: ComponentChildren
}

/** A modal dialog: the browser keeps the focus inside, and Esc closes it. */
export function Dialog({ title, onClose, wide, children, footer }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog
      ref={dialog}
      class={`dialog ${wide ? 'dialog-wide' : ''}`}
      aria-labelledby={titleId}
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
      // The backdrop is the dialog itself; what is in it is its form.
      onPointerDown={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="dialog-body">
        <header class="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon={X} label={strings.value.app.close} onClick={() => dialog.current?.close()} />
        </header>
        <div class="dialog-content">{children}</div>
        {footer && <footer class="dialog-footer">{footer}</footer>}
      </div>
    </dialog>
  )
}

interface ConfirmProps {
  readonly question: string
  readonly action: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/** Asks before something is lost. */
export function Confirm({ question, action, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const questionId = useId()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog
      ref={dialog}
      class="dialog dialog-small"
      role="alertdialog"
      aria-labelledby={questionId}
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div class="dialog-body">
        <p id={questionId} class="confirm-question">
          {question}
        </p>
        <footer class="dialog-footer">
          <Button onClick={() => dialog.current?.close()}>{strings.value.app.cancel}</Button>
          <Button
            kind="danger"
            onClick={() => {
              onConfirm()
              dialog.current?.close()
            }}
          >
            {action}
          </Button>
        </footer>
      </div>
    </dialog>
  )
}
