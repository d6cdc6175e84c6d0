import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inOrder } from './in-order.js'

it('jobs run side by side, as many as wanted; results come in order', async () => {
  let running = 0
  let most = 0
  const jobs = [5, 1, 3, 1, 4].map((ms, index) => async () => {
    most = Math.max(most, ++running)
    await sleep(ms)
    running--
    return index
  })
  const results: number[] = []
  for await (const result of inOrder(jobs, 3)) results.push(result)
  expect(results).toEqual([0, 1, 2, 3, 4])
  expect(most).toBe(3)
})

it('a job that fails ends them, after what came before it', async () => {
  let begun = 0
  const jobs = [1, 2, 3, 4, 5, 6].map((number) => async () => {
    begun++
    if (number > 1) throw new Error(`job ${number}`)
    return number
  })
  const results: number[] = []
  const all = async () => {
    for await (const result of inOrder(jobs, 2)) results.push(result)
  }
  await expect(all()).rejects.toThrow('job 2')
  expect(results).toEqual([1])
  expect(begun).toBe(3)
})
