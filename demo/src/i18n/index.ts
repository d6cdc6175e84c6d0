import { computed, effect, signal } from '@preact/signals'
import { en, type Strings } from './en.js'
import { zh } from './zh.js'

export type { Strings }

const TABLES = { en, zh } as const
export type Locale = keyof typeof TABLES

const KEY = 'locale'

function initialLocale(): Locale {
  const chosen = readChoice(KEY)
  if (chosen === 'en' || chosen === 'zh') return chosen
  return navigator.languages.find((language) => /^(en|zh)\b/.test(language))?.startsWith('zh') ? 'zh' : 'en'
}

/** A choice that is kept; null where there is none, or the window keeps nothing. */
export function readChoice(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Keeps a choice, where the window keeps anything. */
export function keepChoice(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // The choice holds until the window is closed.
  }
}

export const locale = signal<Locale>(initialLocale())

/** The texts of the page in the chosen language. */
export const strings = computed<Strings>(() => TABLES[locale.value])

effect(() => {
  document.documentElement.lang = locale.value === 'zh' ? 'zh-CN' : 'en'
})

export function switchLocale(): void {
  locale.value = locale.value === 'zh' ? 'en' : 'zh'
  keepChoice(KEY, locale.value)
}
