/// <reference lib="webworker" />
/**
 * The service worker: it keeps every file of the page, so that all works without a network, and lets requests out to
 * no origin that the user has not chosen.
 */
import { allowOrigins, passGate, withWorkerPolicy } from './gate.js'
import { fetchFile, isIntact, type KeptFile, keyOf } from './kept-files.js'
import { partOf } from './range.js'

declare const self: ServiceWorkerGlobalScope

/** Put in by the build. */
declare const __FILES__: readonly KeptFile[]
const FILES = __FILES__

const scope = self.registration.scope
const files = new Map(FILES.map((file) => [new URL(file.path, scope).href, file]))
const CACHE = 'app'

async function keepFiles(): Promise<void> {
  const cache = await caches.open(CACHE)
  await Promise.all(
    FILES.map(async (file) => {
      const key = keyOf(file, scope)
      const kept = await cache.match(key)
      if (kept && (await isIntact(kept, file))) return
      await cache.put(key, await fetchFile(file, scope))
    }),
  )
}

async function dropOldFiles(): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = new Set(FILES.map((file) => keyOf(file, scope)))
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request)
}

async function respond(request: Request): Promise<Response> {
  const url = new URL(request.url)
  const isPage = request.mode === 'navigate'
  const href = isPage ? new URL('index.html', scope).href : `${url.origin}${url.pathname}`
  const file = files.get(href)
  const kept = file && (await caches.match(keyOf(file, scope), { cacheName: CACHE }))
  const response = kept ? await partOf(kept, request) : await fetch(request)
  return request.destination === 'worker' ? withWorkerPolicy(response) : response
}

/** Tells the pages that are open why this version does not take over. */
async function tell(problem: string): Promise<void> {
  for (const client of await self.clients.matchAll({ includeUncontrolled: true }))
    client.postMessage({ problem })
}

self.addEventListener('install', (event) => {
  const keeping = keepFiles().catch(async (error: unknown) => {
    await tell(error instanceof Error ? error.message : String(error))
    throw error
  })
  event.waitUntil(keeping)
})

self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([dropOldFiles(), allowOrigins([]), self.clients.claim()]))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (!request.url.startsWith('http')) return
  const isOwn = new URL(request.url).origin === self.location.origin
  event.respondWith(isOwn ? respond(request) : passGate(request))
})

self.addEventListener('message', (event) => {
  const { allow, update } = event.data as { allow?: readonly string[]; update?: true }
  if (update) event.waitUntil(self.skipWaiting())
  if (allow) event.waitUntil(allowOrigins(allow).then(() => event.ports[0]?.postMessage('done')))
})
