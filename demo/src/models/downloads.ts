import { signal } from '@preact/signals'
import type { StoreProgress } from '../../../src/browser.js'
import { keepChoice, readChoice } from '../i18n/index.js'
import { report } from '../problems/problems.js'
import { download } from '../storage/store.js'

/** A download that is under way. */
export interface Download {
  readonly progress: StoreProgress | undefined
  /** Smoothed, over the last seconds. */
  readonly bytesPerSecond: number
  readonly controller: AbortController
}

/** By the name in the store. */
export const downloads = signal<ReadonlyMap<string, Download>>(new Map())

/** The servers of the hubs, which the user may replace by mirrors. */
export const ENDPOINTS = { hf: 'https://huggingface.co', modelscope: 'https://modelscope.cn' } as const
export type Hub = keyof typeof ENDPOINTS

const keyOf = (hub: Hub) => `endpoint ${hub}`
export const endpoints = signal({
  hf: readChoice(keyOf('hf')) ?? ENDPOINTS.hf,
  modelscope: readChoice(keyOf('modelscope')) ?? ENDPOINTS.modelscope,
})

export function changeEndpoint(hub: Hub, url: string): void {
  endpoints.value = { ...endpoints.value, [hub]: url }
  keepChoice(keyOf(hub), url)
}

/** The hub that a location names, if it names one. */
export function hubOf(location: string): Hub | undefined {
  return /^(hf|modelscope):/.exec(location)?.[1] as Hub | undefined
}

/** The speed is measured over so many milliseconds. */
const SPEED_WINDOW = 3000

function change(name: string, next: Download | undefined): void {
  const all = new Map(downloads.value)
  if (next) all.set(name, next)
  else all.delete(name)
  downloads.value = all
}

/** Downloads a model, or goes on with one. What is there already is not fetched again. */
export async function startDownload({ name, location }: { name: string; location: string }): Promise<void> {
  if (downloads.value.has(name)) return
  const controller = new AbortController()
  const seen: { readonly time: number; readonly bytes: number }[] = []
  change(name, { progress: undefined, bytesPerSecond: 0, controller })
  try {
    await download({ name, location, endpoints: endpoints.value }, controller.signal, (progress) => {
      const now = performance.now()
      seen.push({ time: now, bytes: progress.transferredBytes })
      while (seen.length > 2 && now - seen[0].time > SPEED_WINDOW) seen.shift()
      const [first] = seen
      const seconds = (now - first.time) / 1000
      const bytesPerSecond = seconds > 0 ? (progress.transferredBytes - first.bytes) / seconds : 0
      if (downloads.value.has(name)) change(name, { progress, bytesPerSecond, controller })
    })
  } catch (error) {
    if (!controller.signal.aborted) report(error)
  } finally {
    change(name, undefined)
  }
}

/** Stops a download; it can be continued. */
export function pauseDownload(name: string): void {
  downloads.value.get(name)?.controller.abort(new DOMException('Paused by the user.', 'AbortError'))
}

/** What to call a model in the store: the last part of where it comes from. */
export function nameOfLocation(location: string): string {
  const path = location.replace(/^(hf|modelscope):/, '').replace(/[?#].*$/, '')
  return path.split('/').filter(Boolean).at(-1) ?? location
}
