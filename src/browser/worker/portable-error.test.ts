import { describe, expect, it } from 'vitest'
import * as errors from '../../errors/index.js'
import { quotaExceeded } from '../store/errors.js'
import { packError, unpackError } from './portable-error.js'

const travel = (error: unknown) => unpackError(structuredClone(packError(error)))

describe('an error between page and worker', () => {
  it.each(Object.keys(errors.ERROR_KINDS))('keeps class, code and details, of the kind %s', (kind) => {
    const code = Object.keys(errors.ERROR_CODES).find((one) => one.startsWith(`${kind}.`)) as errors.ErrorCode
    const error = errors.createError(code, 'a message', { details: { some: ['thing', 1] } })
    const arrived = travel(error) as errors.ChatGLMError
    const ofKind = Object.values(errors).filter(
      (one) => typeof one === 'function' && Object.getPrototypeOf(one) === errors.ChatGLMError,
    )
    expect(ofKind).toContain(arrived.constructor)
    expect(arrived.constructor).toBe(error.constructor)
    expect(arrived).toMatchObject({ kind, code, message: 'a message', details: { some: ['thing', 1] } })
    expect(String(arrived)).toBe(String(error))
  })

  it('keeps cause and stack', () => {
    const cause = new TypeError('no network')
    const error = quotaExceeded('model', 10, 5, { cause })
    const arrived = travel(error)
    expect(arrived).toBeInstanceOf(errors.StoreError)
    expect(arrived).toMatchObject({ code: 'store.quota', details: { needed: 10, available: 5 } })
    expect(arrived.stack).toBe(error.stack)
    expect(arrived.cause).toBeInstanceOf(TypeError)
    expect(errors.hasCode(arrived, 'store.quota')).toBe(true)
  })

  it('is one of the platform, or of nobody, as it was', () => {
    const abort = travel(new DOMException('stop', 'AbortError'))
    expect(abort).toBeInstanceOf(DOMException)
    expect(abort.name).toBe('AbortError')
    expect(travel('a text').message).toBe('a text')
    expect(travel(new RangeError('too long'))).toBeInstanceOf(RangeError)
    const custom = travel(Object.assign(new Error('own'), { name: 'CustomError' }))
    expect([custom.name, custom.constructor]).toEqual(['CustomError', Error])
  })
})
