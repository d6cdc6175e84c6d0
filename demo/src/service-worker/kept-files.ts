/// <reference lib="webworker" />

/** A file of the page, and the beginning of its SHA-256 in hexadecimal. */
export interface KeptFile {
  readonly path: string
  /** Of the content. */
  readonly hash: string
}

/** A file comes damaged as often as this before it is given up: a proxy may hold a wrong answer for a moment. */
const ATTEMPTS = 3

/** What a file's key among the kept ones is: the same path with another content is another entry. */
export const keyOf = ({ path, hash }: KeptFile, scope: string) => `${new URL(path, scope).href}?${hash}`

async function hasHash(bytes: ArrayBuffer, hash: string): Promise<boolean> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.startsWith(hash)
}

/**
 * Fetches a file and keeps it only if it is what the build made: one bad answer would stay until the next build.
 * @throws Error naming the file, where it comes damaged again and again, or not at all
 */
export async function fetchFile(file: KeptFile, scope: string): Promise<Response> {
  const { path, hash } = file
  let problem = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Not through the browser's cache: there it would meet the parts of files that the page reads meanwhile.
    const response = await fetch(new URL(path, scope), { cache: 'no-store' })
    if (!response.ok) {
      problem = `the server answered ${response.status}`
      continue
    }
    const bytes = await response.arrayBuffer()
    if (await hasHash(bytes, hash)) {
      return new Response(bytes, { headers: response.headers, status: response.status })
    }
    problem = 'it is not what the build made'
  }
  throw new Error(`${path}: ${problem}. Is the page published whole, or a proxy in between?`)
}

/** Whether a kept file is still what it was; a cache may be damaged on the disk. */
export async function isIntact(response: Response, { hash }: KeptFile): Promise<boolean> {
  try {
    return await hasHash(await response.clone().arrayBuffer(), hash)
  } catch {
    return false
  }
}
