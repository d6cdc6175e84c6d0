import { describe, expect, it } from 'vitest'
import { smoothLosses } from './smooth-losses.js'

describe('smoothed losses', () => {
  it('begin at the first one, stay where all are the same, and follow a step slowly', () => {
    expect(smoothLosses([4])).toEqual([4])
    for (const loss of smoothLosses(Array(50).fill(2))) expect(loss).toBeCloseTo(2, 10)
    const step = smoothLosses([...Array(20).fill(3), ...Array(20).fill(1)])
    expect(step[20]).toBeGreaterThan(2)
    expect(step[39]).toBeLessThan(1.01)
    expect(step[39]).toBeGreaterThan(1)
  })

  it('are smoother in longer trainings', () => {
    const losses = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 1 : 3))
    const spread = (curve: readonly number[]) => Math.abs(curve[99] - curve[98])
    expect(spread(smoothLosses(losses, 1000))).toBeLessThan(spread(smoothLosses(losses)) / 2)
  })
})
