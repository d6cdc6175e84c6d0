interface ProgressProps {
  readonly label: string
  /** From 0 to 1; undefined where it is not known. */
  readonly value: number | undefined
}

export function Progress({ label, value }: ProgressProps) {
  return (
    <progress
      class="progress"
      aria-label={label}
      max={1}
      {...(value !== undefined && { value: Math.min(1, value) })}
    />
  )
}
