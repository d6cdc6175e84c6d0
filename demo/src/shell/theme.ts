import { effect, signal } from '@preact/signals'
import { keepChoice, readChoice } from '../i18n/index.js'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'theme'
const kept = readChoice(KEY)

export const theme = signal<Theme>(THEMES.find((one) => one === kept) ?? 'auto')

/** Whether the page is dark now. */
export const isDark = signal(false)

const system = matchMedia('(prefers-color-scheme: dark)')

effect(() => {
  const apply = () => {
    isDark.value = theme.value === 'dark' || (theme.value === 'auto' && system.matches)
    document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'
  }
  apply()
  system.addEventListener('change', apply)
  return () => system.removeEventListener('change', apply)
})

export function chooseTheme(choice: Theme): void {
  theme.value = choice
  keepChoice(KEY, choice)
}
