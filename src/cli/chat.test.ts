import { beforeEach, describe, expect, it, vi } from 'vitest'
import { DeviceError } from '../errors/index.js'
import { run } from './program.js'
import { answerOf, StubModel, stubLibrary, type TestIo, testIo } from './testing.js'

const CTRL_C = '\x03'

describe('a chat on a terminal', () => {
  let io: TestIo
  let model: StubModel

  beforeEach(() => {
    io = testIo({ terminal: true })
    model = new StubModel()
  })

  const pause = () => new Promise((resolve) => setTimeout(resolve, 20))
  /** Starts a chat and waits for its first prompt. */
  const start = async (args: readonly string[]) => {
    const code = run(['chat', ...args], io, stubLibrary(model))
    await vi.waitFor(() => expect(io.stderr.text).toContain('› \x1b'))
    return { code }
  }
  /** Types one thing after another, each when the program has had time for the one before. */
  const chat = async (args: readonly string[], ...typed: string[]) => {
    const { code } = await start(args)
    for (const keys of typed) {
      io.stdin.write(keys)
      await pause()
    }
    return code
  }
  const contents = (turn: number) => model.asked[turn].messages.map(({ role, content }) => [role, content])

  it('keeps the conversation, and says who answers and how fast', async () => {
    expect(await chat(['m', '--system', 'Be brief.'], 'hi\r', 'more\r', '/exit\r')).toBe(0)
    expect(contents(1)).toEqual([
      ['system', 'Be brief.'],
      ['user', 'hi'],
      ['assistant', '你好！'],
      ['user', 'more'],
    ])
    expect(io.stdout.text).toBe('你好！\n你好！\n')
    expect(io.stderr.text).toContain('m on Stub GPU')
    expect(io.stderr.text).toContain('prefill 7 tokens at 14.0 tok/s · decode 2 tokens at 8.0 tok/s')
    expect(model.disposed).toBe(true)
  })

  it('stops an answer by Ctrl-C, keeps what came of it, and goes on', async () => {
    model.answers = [answerOf('half', 'for ever'), answerOf('whole')]
    expect(await chat(['m'], 'hi\r', CTRL_C, 'more\r', CTRL_C, CTRL_C)).toBe(0)
    expect(io.stdout.text).toBe('half\nwhole\n')
    expect(io.stderr.text).toContain('stopped · ')
    expect(contents(1)).toContainEqual(['assistant', 'half'])
  })

  it('forgets a question that was stopped before anything came', async () => {
    model.answers = [answerOf('for ever'), answerOf('whole')]
    await chat(['m'], 'hi\r', CTRL_C, 'more\r', '/exit\r')
    expect(contents(1)).toEqual([['user', 'more']])
  })

  it('goes on after an error, without the question that failed', async () => {
    const { chat: answer } = model
    model.chat = (messages, options) => {
      if (messages.at(-1)?.content === 'bad') throw new Error('The prompt is too long.')
      return answer.call(model, messages, options)
    }
    expect(await chat(['m'], 'bad\r', 'good\r', '/exit\r')).toBe(0)
    expect(io.stderr.text).toContain('error: The prompt is too long.')
    expect(contents(0)).toEqual([['user', 'good']])
  })

  it('ends where the device is lost', async () => {
    model.chat = () => {
      throw new DeviceError('device.lost', 'The GPU device was lost.')
    }
    expect(await chat(['m'], 'hi\r')).toBe(1)
    expect(io.stderr.text).toContain('error: The GPU device was lost.')
  })

  it('answers again with another seed, from before the last answer', async () => {
    await chat(['m', '--seed', '7'], 'hi\r', '/regenerate\r', '/exit\r')
    expect(model.asked.map(({ options }) => options.seed)).toEqual([7, 8])
    expect(contents(1)).toEqual([['user', 'hi']])
  })

  it('clears the conversation and changes the system prompt', async () => {
    await chat(
      ['m'],
      'hi\r',
      '/clear\r',
      '/system Be kind.\r',
      'again\r',
      '/system none\r',
      'third\r',
      '/exit\r',
    )
    expect(contents(1)).toEqual([
      ['system', 'Be kind.'],
      ['user', 'again'],
    ])
    expect(contents(2)[0]).toEqual(['user', 'again'])
  })

  it('switches prefixes and their strength, and loads each once', async () => {
    const typed = [
      '1\r',
      '/prefix b\r',
      '2\r',
      '/prefix 0.5\r',
      '/prefix a\r',
      '3\r',
      '/prefix none\r',
      '4\r',
    ]
    await chat(['m', '--prefix', 'a', '--prefix', 'b', '--prefix-strength', '0.9'], ...typed, '/exit\r')
    expect(model.asked.map(({ options }) => [options.prefix?.name, options.prefixStrength])).toEqual([
      ['a', 0.9],
      ['b', 0.9],
      ['a', 0.5],
      [undefined, 0.5],
    ])
    expect(model.prefixes).toEqual(['a', 'b'])
  })

  it('advises a new conversation for another prefix once, where one has begun', async () => {
    const advice = () => io.stderr.text.match(/want a new conversation: \/clear\./g)?.length ?? 0
    await start(['m'])
    for (const [keys, times] of [
      ['/prefix a\r', 0],
      ['hi\r', 0],
      ['/prefix a\r', 0],
      ['/prefix b\r', 1],
      ['/prefix 0.5\r', 1],
      ['/prefix none\r', 1],
      ['/prefix a\r', 1],
    ] as const) {
      io.stdin.write(keys)
      await pause()
      expect([keys, advice()]).toEqual([keys, times])
    }
    io.stdin.write('/exit\r')
  })

  it('takes no observation that no tool was asked for', async () => {
    await chat(['m'], '/observation 3\r', 'hi\r', '/observation 3\r', '/exit\r')
    expect(model.asked).toHaveLength(1)
    expect(io.stderr.text.match(/The last answer called no tool/g)).toHaveLength(2)
  })

  it('shows what is meant for a tool apart, and gives the tool’s answer back', async () => {
    model.answers = [
      [
        { text: 'Let me look.', segment: 0, metadata: '' },
        { text: "tool_call(city='Paris')", segment: 1, metadata: 'weather' },
      ],
    ]
    await chat(['m'], 'hi\r', '/observation {"sunny": true}\r', '/exit\r')
    expect(io.stdout.text).toContain("Let me look.\n→ weather\ntool_call(city='Paris')\n")
    expect(contents(1).at(-1)).toEqual(['observation', '{"sunny": true}'])
  })

  it('makes control characters of an answer visible, so that the terminal does not obey them', async () => {
    model.answers = [answerOf('a\x1b[2Jb\x07\r\n\tc')]
    await chat(['m'], 'hi\r', '/exit\r')
    expect(io.stdout.text).toBe('a␛[2Jb␇␍\n\tc\n')
  })

  it('asks for a second Ctrl-C before it ends', async () => {
    expect(await chat(['m'], CTRL_C, CTRL_C)).toBe(0)
    expect(io.stderr.text).toContain('Ctrl-C again or /exit leaves.')
  })

  it('takes a path for text and a wrong command for an error', async () => {
    await chat(['m'], '/usr/bin is what?\r', '/nope\r', '/help\r', '/exit\r')
    expect(contents(0)).toEqual([['user', '/usr/bin is what?']])
    expect(io.stderr.text).toContain('There is no command /nope.')
    expect(io.stderr.text).toContain('/regenerate')
  })

  it('has no conversation with raw prompts', async () => {
    await chat(['m', '--raw'], 'one\r', 'two\r', '/exit\r')
    expect(model.continued.map(({ prompts }) => prompts)).toEqual([['one'], ['two']])
    expect(io.stdout.text).toBe('so on\nso on\n')
  })

  it('ends with 130 when it is interrupted from outside', async () => {
    const { code } = await start(['m'])
    io.interrupt()
    expect(await code).toBe(130)
    expect(model.disposed).toBe(true)
  })

  it('after the demonstration goes on', async () => {
    expect(await chat(['--demo'], 'hi\r', '/exit\r')).toBe(0)
    expect(io.stdout.text).toBe('你好！\n'.repeat(5))
    expect(io.stderr.text).toContain('/help lists the commands')
  })
})
