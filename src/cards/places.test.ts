import { describe, expect, it } from 'vitest'
import { Places } from './places.js'

describe('places', () => {
  it('are given where most are free, and in the order of who came', async () => {
    const places = new Places(['a', 'b'], 2, 10)
    const given = await Promise.all([places.take(), places.take(), places.take(), places.take()])
    expect(given).toEqual(['a', 'b', 'a', 'b'])
    const order: string[] = []
    const waiting = ['first', 'second'].map(async (name) => order.push(`${name} ${await places.take()}`))
    expect(places.waiting).toBe(2)
    places.leave('b')
    places.leave('a')
    await Promise.all(waiting)
    expect(order).toEqual(['first b', 'second a'])
    expect([places.taken, places.waiting]).toEqual([4, 0])
  })

  it('are waited for by so many and no more', async () => {
    const places = new Places(['a'], 1, 1)
    await places.take()
    const waiting = places.take()
    await expect(places.take()).rejects.toMatchObject({ code: 'busy.waiting' })
    places.leave('a')
    expect(await waiting).toBe('a')
  })

  it('are given up by who is aborted', async () => {
    const places = new Places(['a'], 1, 9)
    await places.take()
    const abort = new AbortController()
    const waiting = places.take(abort.signal)
    const next = places.take()
    abort.abort(new TypeError('enough'))
    await expect(waiting).rejects.toThrow('enough')
    places.leave('a')
    expect(await next).toBe('a')
  })

  it('of one that is lost are gone; with the last one all fail', async () => {
    const places = new Places(['a', 'b'], 1, 9)
    await Promise.all([places.take(), places.take()])
    const waiting = places.take()
    places.remove('a', new Error('a is lost'))
    places.leave('a')
    expect(places.waiting).toBe(1)
    places.remove('b', new Error('b is lost'))
    await expect(waiting).rejects.toThrow('b is lost')
    await expect(places.take()).rejects.toThrow('b is lost')
  })
})
