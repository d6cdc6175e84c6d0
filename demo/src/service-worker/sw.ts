/// <reference lib="webworker" />
/**
 * The service worker: it keeps every file of the page, so that all works without a network, and lets requests out to
 * no origin that the user has not chosen.
 */
import { allowOrigins, passGate, withWorkerPolicy } from './gate.js'
import { partOf } from './range.js'

declare const self: ServiceWorkerGlobalScope

interface KeptFile {
  readonly path: string
  /** Of the content. */
  readonly hash: string
}

/** Put in by the build. */
declare const __FILES__: readonly KeptFile[]
const FILES = __FILES__

const scope = self.registration.scope
/** The same path with another content is another entry, so that a new version keeps what did not change. */
const keyOf = ({ path, hash }: KeptFile) => `${new URL(path, scope).href}?${hash}`
const keys = new Map(FILES.map((file) => [new URL(file.path, scope).href, keyOf(file)]))
const CACHE = 'app'

async function keepFiles(): Promise<void> {
  const cache = await caches.open(CACHE)
  await Promise.all(
    FILES.map(async (file) => {
      const key = keyOf(file)
      if (await cache.match(key)) return
      // Not through the browser's cache: there it would meet the parts of files that the page reads meanwhile.
      const response = await fetch(new URL(file.path, scope), { cache: 'no-store' })
      if (!response.ok) throw new Error(`${file.path}: ${response.status}`)
      await cache.put(key, response)
    }),
  )
}

async function dropOldFiles(): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = new Set(keys.values())
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request)
}

async function respond(request: Request): Promise<Response> {
  const url = new URL(request.url)
  const isPage = request.mode === 'navigate'
  const href = isPage ? new URL('index.html', scope).href : `${url.origin}${url.pathname}`
  const key = keys.get(href)
  const kept = key && (await caches.match(key, { cacheName: CACHE }))
  const response = kept ? await partOf(kept, request) : await fetch(request)
  return request.destination === 'worker' ? withWorkerPolicy(response) : response
}

self.addEventListener('install', (event) => {
  event.waitUntil(keepFiles())
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
