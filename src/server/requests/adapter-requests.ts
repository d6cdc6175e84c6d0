import { z } from '../../schema/index.js'
import { required, STRENGTH, strength } from './fields.js'

const NAME = 'a name of up to 64 characters without spaces, slashes and control characters'
const SOURCE = 'a path or an address'

/** The body of `POST /v1/adapters`. */
export const loadAdapterRequest = z.strictObject({
  id: required(
    z.string({ error: NAME }).check(z.regex(/^[^\s/\p{C}]{1,64}$/u, { error: NAME })),
    NAME,
    'What clients call it.',
  ),
  source: required(
    z.string({ error: SOURCE }).check(z.minLength(1, { error: SOURCE })),
    SOURCE,
    'Where the prefix is, as the server sees it.',
  ),
  strength: required(z.optional(strength), STRENGTH, 'Its weight where a request names none. Default 1.'),
})

/** The body of `POST /v1/adapters/:id`. */
export const weighAdapterRequest = z.strictObject({
  strength: required(strength, STRENGTH, 'Its weight from now on.'),
})
