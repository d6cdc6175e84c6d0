import { signal } from '@preact/signals'

/** A short message at the edge of the page, which also screen readers say. */
export const toast = signal<string | null>(null)

const SECONDS = 5
let timer: number | undefined

export function showToast(text: string): void {
  toast.value = text
  clearTimeout(timer)
  timer = window.setTimeout(() => {
    toast.value = null
  }, SECONDS * 1000)
}
