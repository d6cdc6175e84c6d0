import { z } from 'zod'
import { strength } from './fields.js'

const NAME = 'a name of up to 64 characters without spaces, slashes and control characters'

/** The body of `POST /v1/adapters`. */
export const loadAdapterRequest = z.strictObject({
  id: z
    .string({ error: NAME })
    .regex(/^[^\s/\p{C}]{1,64}$/u, { error: NAME })
    .meta({ expected: NAME, description: 'What clients call it.' }),
  source: z.string({ error: 'a path or an address' }).min(1, { error: 'a path or an address' }).meta({
    expected: 'a path or an address',
    description: 'Where the prefix is, as the server sees it.',
  }),
  strength: strength.meta({
    expected: 'a number from 0 to 1',
    description: 'Its weight where a request names none.',
  }),
})

/** The body of `POST /v1/adapters/:id`. */
export const weighAdapterRequest = z.strictObject({
  strength: strength
    .unwrap()
    .meta({ expected: 'a number from 0 to 1', description: 'Its weight from now on.' }),
})
