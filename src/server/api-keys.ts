import { createHash, timingSafeEqual } from 'node:crypto'
import { ApiError } from './api-error.js'

const digest = (key: string) => createHash('sha256').update(key).digest()

/** Knows the keys of which a client must send one. Comparing takes the same time whichever is nearly right. */
export class ApiKeys {
  readonly #digests: readonly Buffer[]

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest)
  }

  /** @throws ApiError 401 where keys are needed and the header has none of them */
  check(authorization: string | undefined): void {
    if (this.#digests.length === 0) return
    const [, key] = /^Bearer +(.+)$/i.exec(authorization ?? '') ?? []
    const given = digest(key ?? '')
    let known = false
    for (const one of this.#digests) known = timingSafeEqual(one, given) || known
    if (known && key !== undefined) return
    const message =
      key === undefined
        ? 'This server needs a key: send the header "Authorization: Bearer KEY".'
        : 'The key is not one of this server.'
    const headers = { 'www-authenticate': 'Bearer' }
    throw new ApiError(401, 'authentication_error', 'invalid_api_key', message, { headers })
  }
}
