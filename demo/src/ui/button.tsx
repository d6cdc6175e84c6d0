import type { LucideIcon } from 'lucide-preact'
import type { ComponentChildren, JSX } from 'preact'

export type ButtonKind = 'primary' | 'plain' | 'quiet' | 'danger'

interface ButtonProps extends Omit<JSX.IntrinsicElements['button'], 'icon' | 'size'> {
  readonly kind?: ButtonKind
  readonly icon?: LucideIcon
  readonly small?: boolean
  readonly children?: ComponentChildren
}

export function Button({ kind = 'plain', icon: Icon, small, children, class: more, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      class={`button button-${kind} ${small ? 'button-small' : ''} ${more ?? ''}`}
      {...rest}
    >
      {Icon && <Icon size={small ? 15 : 17} aria-hidden="true" />}
      {children}
    </button>
  )
}

interface IconButtonProps extends Omit<JSX.IntrinsicElements['button'], 'icon' | 'label'> {
  readonly icon: LucideIcon
  /** What it does, for those who do not see the icon, and as a tooltip. */
  readonly label: string
  readonly size?: number
}

export function IconButton({ icon: Icon, label, size = 18, class: more, ...rest }: IconButtonProps) {
  return (
    <button type="button" class={`icon-button ${more ?? ''}`} aria-label={label} title={label} {...rest}>
      <Icon size={size} aria-hidden="true" />
    </button>
  )
}
