import { expect, it } from 'vitest'
import { halvesTiling, splitsOf } from './tiling.js'

const ROOM = 1000

it('has tiles that are filled', () => {
  expect([1, 16, 17, 64, 65, 2048].map((rows) => halvesTiling(rows).rows)).toEqual([16, 16, 32, 64, 128, 128])
})

it('splits products of few tiles, and no others', () => {
  const splits = (rows: number, tiles: number) => splitsOf(halvesTiling(rows), tiles, ROOM)
  expect([32, 64, 128, 214, 856].map((tiles) => splits(512, tiles))).toEqual([4, 2, 1, 1, 1])
  expect([32, 214, 508].map((tiles) => splits(16, tiles))).toEqual([8, 1, 1])
})

it('splits where a second wave of workgroups would be nearly empty', () => {
  expect(splitsOf(halvesTiling(512), 144, ROOM)).toBeGreaterThan(1)
})

it('leaves the inputs whole where there is no room for parts', () => {
  expect(splitsOf(halvesTiling(128), 32, 127)).toBeLessThan(4)
  expect(splitsOf(halvesTiling(128), 32, 0)).toBe(1)
})
