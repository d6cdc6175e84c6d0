/** GPUs of the system: how they are listed and chosen. */
import { describe, expect, it } from 'vitest'
import type { LoadModelOptions } from '../index.js'
import { run } from './program.js'
import { command, StubModel, stubLibrary, testIo } from './testing.js'

const card = {
  name: 'NVIDIA H200',
  vendor: 'nvidia',
  files: [],
  isDriverName: true,
  memory: { total: 150_754_820_096, used: 4_089_446_400, free: 146_665_373_696 },
  load: 0.97,
  power: { draw: 412.53, limit: 700 },
} as const
const CARDS = [
  { ...card, index: 0, pci: '0000:1b:00.0' },
  { ...card, index: 1, pci: '0000:43:00.0', memory: undefined, load: undefined, power: undefined },
]
const twoCards = stubLibrary(new StubModel(), { listGpus: async () => CARDS })

describe('devices', () => {
  it('shows each card of the system with what is known of it', async () => {
    const { out } = await command(['devices'], twoCards)
    expect(out).toContain(
      'GPU  name         PCI address   used    free    load  power\n' +
        '0    NVIDIA H200  0000:1b:00.0  4.1 GB  147 GB  97 %  413 W of 700\n' +
        '1    NVIDIA H200  0000:43:00.0  -       -       -     -\n',
    )
    expect(out).toContain('The system lists 2 GPUs: --gpu 1 takes one')
    expect(JSON.parse((await command(['devices', '--json'], twoCards)).out).gpus).toEqual(
      JSON.parse(JSON.stringify(CARDS)),
    )
  })

  it('watches them until Ctrl-C', async () => {
    const io = testIo()
    let looks = 0
    const library = stubLibrary(new StubModel(), {
      listGpus: async () => {
        if (++looks === 3) io.interrupt()
        return CARDS
      },
    })
    await run(['devices', '--watch', '0.1', '--json'], io, library)
    const lines = io.stdout.text.trim().split('\n')
    expect(lines).toHaveLength(3)
    expect(JSON.parse(lines[0]).gpus).toHaveLength(2)
  })
})

describe('--gpu', () => {
  const loaded = async (args: readonly string[], env: Record<string, string> = {}) => {
    let options: LoadModelOptions | undefined
    const library = stubLibrary(new StubModel(), {
      loadModel: async (_, given) => {
        options = given
        return new StubModel()
      },
    })
    const io = testIo({ input: '{"prompt":"a"}' })
    const code = await run(args, Object.assign(io, { env: { NO_COLOR: '1', ...env } }), library)
    return { code, gpu: (options as { gpu?: unknown } | undefined)?.gpu, err: io.stderr.text }
  }
  const generate = ['generate', 'tiny', '--input', '-', '--output', '-']

  it('chooses cards, in every command that loads a model', async () => {
    expect((await loaded([...generate, '--gpu', '0, 1'])).gpu).toEqual([0, 1])
    expect((await loaded(['chat', 'tiny', 'hello', '--gpu', '1'])).gpu).toEqual([1])
    expect((await loaded(generate)).gpu).toBeUndefined()
  })

  it('is by default what CHATGLM_VISIBLE_GPUS shows: all of it where there is work for all', async () => {
    const env = { CHATGLM_VISIBLE_GPUS: '3,5' }
    expect((await loaded(generate, env)).gpu).toEqual([0, 1])
    expect((await loaded(['chat', 'tiny', 'hello'], env)).gpu).toEqual([0])
    expect((await loaded([...generate, '--gpu', '1'], env)).gpu).toEqual([1])
  })

  it('refuses what is no list of different numbers', async () => {
    for (const value of ['0,0', 'one', '-1', '0,', '1.5']) {
      const { code, err } = await loaded([...generate, `--gpu=${value}`])
      expect([code, err]).toEqual([2, expect.stringContaining('Expected numbers of different GPUs')])
    }
  })
})

describe('plan', () => {
  it('tells by purpose what a model and its training take', async () => {
    const { code, out } = await command([
      'plan',
      'tiny',
      '--train',
      'prefix',
      '--tokens',
      '128',
      '--batch',
      '4',
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/On each GPU\n {2}weights +\d.* MB\n {2}cache .*\n {2}activations/)
    expect(out).toContain('training: inputs of the layers')
    expect(out).toMatch(/ZeRO stage 3 .*\n {2}a prefix +weights/)
  })

  it('gives JSON', async () => {
    const { out } = await command(['plan', 'tiny', '--json'])
    expect(JSON.parse(out)).toMatchObject({
      weights: expect.any(Number),
      arithmetic: { all: expect.any(Array) },
    })
  })
})
