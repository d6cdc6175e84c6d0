import { signal } from '@preact/signals'

/** A new version of the page that waits for the old one to be closed. */
export const waitingVersion = signal<ServiceWorker | null>(null)

/** Whether a service worker stands between this page and the network. */
export const isGated = signal(false)

/** Origins that requests may go to now, besides the page's own. */
export const openOrigins = signal<readonly string[]>([])

/** Requests that the service worker has blocked since the page was opened. */
export const blockedCount = signal(0)

/** How long a model waits for the service worker on a first visit, which fetches all of the page before it takes over. */
const GATE_TIMEOUT_MS = 3000

let registered: Promise<unknown> = Promise.resolve()

/**
 * Waits until the service worker stands between the page and the network, where there is to be one: workers that were
 * started before would not be held by it, but only by their policy.
 */
export async function whenGated(): Promise<void> {
  await registered
  if (isGated.value || !(await navigator.serviceWorker?.getRegistration())) return
  await new Promise<void>((resolve) => {
    navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true })
    setTimeout(resolve, GATE_TIMEOUT_MS)
  })
}

/** Registers the service worker, where there can be one. */
export async function startOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  const { serviceWorker } = navigator
  isGated.value = serviceWorker.controller !== null
  serviceWorker.addEventListener('controllerchange', () => {
    isGated.value = true
  })
  serviceWorker.addEventListener('message', ({ data }) => {
    const { blocked, problem } = data as { blocked?: string; problem?: string }
    if (blocked) blockedCount.value++
    if (problem) console.warn(`This page cannot be kept for use without a network. ${problem}`)
  })
  try {
    const registering = serviceWorker.register('./sw.js')
    registered = registering.catch(() => {})
    const registration = await registering
    const notice = (worker: ServiceWorker | null) => {
      // Without an old version there is nothing to wait for.
      if (worker?.state === 'installed' && serviceWorker.controller) waitingVersion.value = worker
    }
    notice(registration.waiting)
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing
      worker?.addEventListener('statechange', () => notice(worker))
    })
  } catch {
    // A private window of some browsers: the page works, but not without a network.
  }
}

/** Starts the waiting version. */
export function update(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waitingVersion.value?.postMessage({ update: true })
}

/** Tells the service worker where requests may go. Without one, only the browser's policies hold. */
async function tellOrigins(): Promise<void> {
  const worker = navigator.serviceWorker?.controller
  if (!worker) return
  const { port1, port2 } = new MessageChannel()
  await new Promise((resolve) => {
    port1.onmessage = resolve
    worker.postMessage({ allow: openOrigins.value }, [port2])
  })
  port1.close()
}

/** Lets requests through to a server while some work lasts. */
export async function withOrigin<T>(origin: string, work: () => Promise<T>): Promise<T> {
  // A server that two downloads use is in the list twice.
  openOrigins.value = [...openOrigins.value, origin]
  await tellOrigins()
  try {
    return await work()
  } finally {
    const index = openOrigins.value.indexOf(origin)
    openOrigins.value = openOrigins.value.filter((_, other) => other !== index)
    await tellOrigins()
  }
}

/** Files that the service worker keeps, and their number of bytes. */
export async function keptFiles(): Promise<number> {
  if (!('caches' in globalThis) || !(await caches.has('app'))) return 0
  return (await (await caches.open('app')).keys()).length
}

/** Forgets the offline copy of the page. */
export async function forgetOffline(): Promise<void> {
  for (const registration of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
    await registration.unregister()
  }
  if ('caches' in globalThis) for (const name of await caches.keys()) await caches.delete(name)
}
