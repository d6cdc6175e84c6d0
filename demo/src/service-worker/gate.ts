/// <reference lib="webworker" />
import { workerPolicy } from './policy.js'

declare const self: ServiceWorkerGlobalScope

/** Where the list of origins is kept while the service worker sleeps. */
const CACHE = 'gate'
const KEY = new Request('https://gate.invalid/origins')

/** The origins that requests may go to, besides the page's own. */
export async function allowedOrigins(): Promise<readonly string[]> {
  const stored = await (await caches.open(CACHE)).match(KEY)
  return stored ? ((await stored.json()) as string[]) : []
}

/** Opens the gate to some origins and to no others. */
export async function allowOrigins(origins: readonly string[]): Promise<void> {
  await (await caches.open(CACHE)).put(KEY, Response.json(origins))
}

/** Sends a request on if its origin was chosen by the user; it fails otherwise, as one without a network would. */
export async function passGate(request: Request): Promise<Response> {
  const { origin } = new URL(request.url)
  if ((await allowedOrigins()).includes(origin)) return fetch(request)
  for (const client of await self.clients.matchAll()) client.postMessage({ blocked: origin })
  return Response.error()
}

/** Narrows the policy of a worker's script down to the origins chosen at the moment. */
export async function withWorkerPolicy(response: Response): Promise<Response> {
  const headers = new Headers(response.headers)
  headers.set('Content-Security-Policy', workerPolicy(await allowedOrigins()))
  return new Response(response.body, { status: response.status, headers })
}
