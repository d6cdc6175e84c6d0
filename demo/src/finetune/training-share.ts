import { signal } from '@preact/signals'

/** How far a training has come, from 0 to 1; undefined while none runs. The menu shows it. */
export const trainingShare = signal<number | undefined>(undefined)
