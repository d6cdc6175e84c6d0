import { signal } from '@preact/signals'

export const isModelsOpen = signal(false)
