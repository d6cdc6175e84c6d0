import { expect, it } from 'vitest'
import { splitsOf } from './splits.js'

const ROOM = 1000

it('splits products of few tiles, and no others', () => {
  expect([32, 64, 128, 214, 856].map((tiles) => splitsOf(tiles, ROOM))).toEqual([4, 2, 1, 1, 1])
})

it('splits where a second wave of workgroups would be nearly empty', () => {
  expect(splitsOf(144, ROOM)).toBeGreaterThan(1)
})

it('leaves the inputs whole where there is no room for parts', () => {
  expect(splitsOf(32, 127)).toBeLessThan(4)
  expect(splitsOf(32, 0)).toBe(1)
})
