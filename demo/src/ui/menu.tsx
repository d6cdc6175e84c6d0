import { Ellipsis, type LucideIcon } from 'lucide-preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { IconButton } from './button.js'

interface MenuProps {
  readonly label: string
  readonly items: readonly {
    readonly label: string
    readonly icon: LucideIcon
    readonly danger?: boolean
    readonly onSelect: () => void
  }[]
}

/** A button that opens a list of actions. Arrow keys move in it, Esc closes it. */
export function Menu({ label, items }: MenuProps) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const list = root.current?.querySelector('[role=menu]')
    // In a list that scrolls, it may begin below the edge.
    list?.scrollIntoView({ block: 'nearest' })
    list?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    const leave = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    addEventListener('pointerdown', leave)
    return () => removeEventListener('pointerdown', leave)
  }, [open])
  const close = () => {
    setOpen(false)
    root.current?.querySelector('button')?.focus()
  }
  const move = (step: number) => {
    const all = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
    const next = all.indexOf(document.activeElement as HTMLElement) + step
    all[(next + all.length) % all.length]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return
    if (event.key === 'Escape') close()
    else if (event.key === 'ArrowDown') move(1)
    else if (event.key === 'ArrowUp') move(-1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys come from the button and the items inside
    <div class="menu" ref={root} onKeyDown={onKeyDown}>
      <IconButton
        icon={Ellipsis}
        label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      />
      {open && (
        <div class="menu-list" role="menu">
          {items.map(({ label: text, icon: Icon, danger, onSelect }) => (
            <button
              key={text}
              type="button"
              role="menuitem"
              class={danger ? 'menu-danger' : ''}
              onClick={() => {
                close()
                onSelect()
              }}
            >
              <Icon size={16} aria-hidden="true" />
              {text}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
