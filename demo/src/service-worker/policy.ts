/**
 * The Content Security Policies of the page. The same ones go into the page's `<meta>`, into the headers of
 * `npm run demo`, and into the answers of the service worker.
 */

type Policy = Readonly<Record<string, readonly string[]>>

const format = (policy: Policy) =>
  Object.entries(policy)
    .map(([directive, sources]) => `${directive} ${sources.join(' ')}`)
    .join('; ')

/**
 * The page itself connects to its own origin and nowhere else, whatever the user chose.
 * @param inlineHashes of the scripts inside the frame that tools run in, which inherits this policy
 */
export function pagePolicy(inlineHashes: readonly string[]): string {
  return format({
    'default-src': ["'none'"],
    'script-src': ["'self'", ...inlineHashes.map((hash) => `'${hash}'`)],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'data:', 'blob:'],
    'connect-src': ["'self'"],
    'worker-src': ["'self'", 'blob:'],
    'manifest-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
  })
}

/**
 * Workers may connect to their own origin, and to those that the user downloads from at the moment. They may compile
 * WebAssembly: ONNX Runtime is some, where there is no WebGPU.
 */
export function workerPolicy(origins: readonly string[]): string {
  return format({
    'default-src': ["'none'"],
    'script-src': ["'self'", "'wasm-unsafe-eval'"],
    'connect-src': ["'self'", ...origins],
  })
}

/** Further headers, for hosts that can send some. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
}
