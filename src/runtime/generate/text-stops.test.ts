import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TextStops } from './text-stops.js'

function run(stops: readonly string[], pieces: readonly string[]) {
  const filter = new TextStops(stops)
  const out = pieces.map((piece) => filter.push(piece))
  return { out, text: out.join('') + filter.flush(), stopped: filter.stopped }
}

describe('stop strings', () => {
  it('give out text at once where no stop string can begin', () => {
    expect(run(['END'], ['abc', 'def']).out).toEqual(['abc', 'def'])
  })

  it('hold back a beginning until it is known to be none', () => {
    expect(run(['END'], ['abE', 'N', 'x'])).toEqual({ out: ['ab', '', 'ENx'], text: 'abENx', stopped: false })
  })

  it('end the text before the first of them, also across pieces', () => {
    expect(run(['END', 'N'], ['abE', 'ND', 'later'])).toEqual({
      out: ['ab', '', ''],
      text: 'ab',
      stopped: true,
    })
  })

  it('give back at the end what was held', () => {
    expect(run(['。。'], ['好。'])).toEqual({ out: ['好'], text: '好。', stopped: false })
  })

  it('agree with cutting the whole text at the first stop string of those complete by then', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', ''), { maxLength: 12 })
    fc.assert(
      fc.property(letters, fc.constantFrom('ab', 'aab', 'ba', 'bb'), (pieces, stop) => {
        const whole = pieces.join('')
        const at = whole.indexOf(stop)
        expect(run([stop], pieces).text).toBe(at < 0 ? whole : whole.slice(0, at))
      }),
    )
  })
})
