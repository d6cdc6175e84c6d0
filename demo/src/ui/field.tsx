import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly help?: string
  readonly problem?: string | undefined
  /** Gets what ties the control to its label and its help. */
  readonly children: (tie: { id: string; 'aria-describedby'?: string }) => ComponentChildren
}

/** A control with its label above and its help below. */
export function Field({ label, help, problem, children }: FieldProps) {
  const id = useId()
  const helpId = `${id}-help`
  const note = problem ?? help
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, ...(note && { 'aria-describedby': helpId }) })}
      {note && (
        <p id={helpId} class={problem ? 'field-problem' : 'field-help'}>
          {note}
        </p>
      )}
    </div>
  )
}

interface SliderProps {
  readonly label: string
  readonly help?: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly step: number
  readonly disabled?: boolean
  readonly onChange: (value: number) => void
}

/** A slider with its number beside the label. */
export function Slider({ label, help, value, min, max, step, disabled = false, onChange }: SliderProps) {
  const id = useId()
  const helpId = `${id}-help`
  const filled = `${((value - min) / (max - min)) * 100}%`
  const take = (event: JSX.TargetedInputEvent<HTMLInputElement>) =>
    onChange(Number(event.currentTarget.value))
  return (
    <div class="field">
      <div class="slider-head">
        <label class="field-label" for={id}>
          {label}
        </label>
        <output class="slider-value" for={id}>
          {value}
        </output>
      </div>
      <input
        id={id}
        class="slider"
        type="range"
        {...{ value, min, max, step, disabled }}
        style={{ '--filled': filled }}
        aria-describedby={help ? helpId : undefined}
        onInput={take}
      />
      {help && (
        <p id={helpId} class="field-help">
          {help}
        </p>
      )}
    </div>
  )
}

interface SwitchProps {
  readonly label: string
  readonly help?: string
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
}

export function Switch({ label, help, checked, onChange }: SwitchProps) {
  const id = useId()
  const helpId = `${id}-help`
  return (
    <div class="switch-row">
      <div>
        <label class="field-label" for={id}>
          {label}
        </label>
        {help && (
          <p id={helpId} class="field-help">
            {help}
          </p>
        )}
      </div>
      <input
        id={id}
        class="switch"
        type="checkbox"
        role="switch"
        checked={checked}
        aria-checked={checked}
        aria-describedby={help ? helpId : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </div>
  )
}

interface SegmentedProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: string }[]
  readonly onChange: (value: T) => void
  readonly hideLabel?: boolean
}

/** A choice of a few, side by side. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
  hideLabel,
}: SegmentedProps<T>) {
  const name = useId()
  return (
    <fieldset class="field segmented-field">
      <legend class={hideLabel ? 'visually-hidden' : 'field-label'}>{label}</legend>
      <div class="segmented">
        {options.map((option) => (
          <label key={option.value} class="segment">
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

interface SelectProps {
  readonly label: string
  readonly help?: string
  readonly value: string
  readonly options: readonly { readonly value: string; readonly label: string }[]
  readonly onChange: (value: string) => void
}

export function Select({ label, help, value, options, onChange }: SelectProps) {
  return (
    <Field label={label} {...(help && { help })}>
      {(tie) => (
        <select
          {...tie}
          class="select"
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
