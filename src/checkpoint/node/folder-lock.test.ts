/** One writer to a folder: who comes second is refused, and who died is forgotten. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LOCK_FILE, lockFolder } from './folder-lock.js'

describe('a folder that is written to', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-lock-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const leave = (owner: object | string) =>
    writeFile(join(folder, LOCK_FILE), typeof owner === 'string' ? owner : JSON.stringify(owner))
  const ownerOf = (pid: number, host = hostname()) => ({
    id: 'x',
    pid,
    host,
    work: 'a training',
    since: 'today',
  })
  const outcome = () =>
    lockFolder(folder, 'a conversion').then(
      () => 'taken',
      (error) => error.code as string,
    )

  it('has one writer, whom others hear of', async () => {
    const unlock = await lockFolder(folder, 'a training')
    await expect(lockFolder(folder, 'a conversion')).rejects.toThrow(
      `${folder} is in use: a training (process ${process.pid} on ${hostname()}, since `,
    )
    await expect(lockFolder(folder, 'a conversion')).rejects.toMatchObject({
      code: 'busy.output',
      details: { folder },
    })
    await unlock()
    expect(await readdir(folder)).toEqual([])
    expect(await outcome()).toBe('taken')
  })

  it('has one winner of many that come at once, also where a lock was left', async () => {
    for (const left of [undefined, ownerOf(process.pid)]) {
      await rm(join(folder, LOCK_FILE), { force: true })
      if (left) await leave(left)
      const outcomes = await Promise.all(Array.from({ length: 12 }, outcome))
      expect(outcomes.filter((one) => one === 'taken')).toHaveLength(1)
      expect(outcomes.filter((one) => one === 'busy.output')).toHaveLength(11)
      expect(await readdir(folder)).toEqual([LOCK_FILE])
    }
  })

  it('is free again when the process is gone, or another one has its number', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    await leave(ownerOf(pid))
    expect(await outcome()).toBe('taken')
    await leave(ownerOf(process.pid))
    expect(await outcome()).toBe('taken')
    await leave(ownerOf(process.ppid))
    expect(await outcome()).toBe('busy.output')
  })

  it.each([[ownerOf(1, 'elsewhere')], ['{"pid": '], ['null']])(
    'is held by %j as long as somebody touches the lock',
    async (owner) => {
      await leave(owner)
      expect(await outcome()).toBe('busy.output')
      const before = new Date(Date.now() - 10 * 60_000)
      await utimes(join(folder, LOCK_FILE), before, before)
      expect(await outcome()).toBe('taken')
    },
  )

  it('keeps the lock of somebody else when it is given free', async () => {
    const unlock = await lockFolder(folder, 'a training')
    await leave(ownerOf(1, 'elsewhere'))
    await unlock()
    expect(await readFile(join(folder, LOCK_FILE), 'utf8')).toContain('elsewhere')
  })

  it('says why it cannot be written to', async () => {
    await rm(folder, { recursive: true })
    await expect(lockFolder(folder, 'a training')).rejects.toMatchObject({
      code: 'sink.failed',
      message: expect.stringContaining(`Cannot write to ${folder}`),
    })
  })
})
