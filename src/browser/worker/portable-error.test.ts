import { describe, expect, it } from 'vitest'
import * as library from '../../index.js'
import { ERROR_CLASSES, packError, unpackError } from './portable-error.js'

const travel = (error: unknown) => unpackError(structuredClone(packError(error)))

describe('an error between page and worker', () => {
  it('keeps its class, for every class that the library exports', () => {
    const exported = Object.entries(library).filter(
      ([name, value]) => typeof value === 'function' && /Error$/.test(name),
    )
    expect(exported.length).toBeGreaterThan(30)
    const missing = exported.filter(([name]) => !(name in ERROR_CLASSES))
    expect(missing.map(([name]) => name)).toEqual([])
  })

  it('keeps message, fields, cause and stack', () => {
    const cause = new TypeError('no network')
    const error = new library.StorageQuotaError('model', 10, 5, { cause })
    const arrived = travel(error)
    expect(arrived).toBeInstanceOf(library.StorageQuotaError)
    expect(arrived).toMatchObject({
      name: 'StorageQuotaError',
      message: error.message,
      needed: 10,
      available: 5,
    })
    expect(arrived.stack).toBe(error.stack)
    expect(arrived.cause).toBeInstanceOf(TypeError)
    expect(String(arrived)).toBe(String(error))
  })

  it('is one of the platform, or of nobody, as it was', () => {
    const abort = travel(new DOMException('stop', 'AbortError'))
    expect(abort).toBeInstanceOf(DOMException)
    expect(abort.name).toBe('AbortError')
    expect(travel('a text').message).toBe('a text')
    const custom = travel(Object.assign(new Error('own'), { name: 'CustomError' }))
    expect([custom.name, custom.constructor]).toEqual(['CustomError', Error])
  })
})
