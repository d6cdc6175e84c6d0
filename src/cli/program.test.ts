import { readFile } from 'node:fs/promises'
import { describe, expect, it, vi } from 'vitest'
import { AdapterError, SourceError } from '../errors/index.js'
import type { LoadModelOptions } from '../index.js'
import { run } from './program.js'
import {
  adapterOf,
  answerOf,
  command,
  noLibrary,
  replyOf,
  StubModel,
  streamOf,
  stubLibrary,
  testIo,
} from './testing.js'

describe('the command line', () => {
  it('helps without loading the library', async () => {
    const { code, out } = await command(['--help'], noLibrary)
    expect(code).toBe(0)
    for (const name of ['chat', 'generate', 'convert', 'devices']) expect(out).toContain(`  ${name} `)
    for (const name of ['chat', 'generate', 'convert']) {
      expect((await command([name, '--help'], noLibrary)).out).toContain('Examples:')
    }
  })

  it('has the version of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'))
    expect(await command(['--version'], noLibrary)).toMatchObject({ code: 0, out: `${version}\n` })
  })

  it.each([
    [['chat', '--temperature', 'hot'], 'Expected a number from 0 up'],
    [['chat', '--temperature', '-1'], 'Expected a number from 0 up'],
    [['chat', '--top-k', '1.5'], 'Expected a whole number from 0 up'],
    [['chat', '--top-p', '0'], 'Expected a number above 0 and up to 1'],
    [['chat', '--min-p', '2'], 'Expected a number from 0 to 1'],
    [['chat', '--repetition-penalty', '0'], 'Expected a number from 0.001 to 1000'],
    [['chat', '--presence-penalty', 'x'], 'Expected a number from -1000 to 1000'],
    [['chat', '--seed', '-1'], 'Expected a whole number from 0 to 4294967295'],
    [['chat', '--max-tokens', '0'], 'Expected a whole number from 1 up'],
    [['chat', '--context', '0x10'], 'Expected a whole number from 2 up'],
    [['chat', '--bits', '3'], 'Expected 4 or 8'],
    [['chat', '--device', 'cpu'], 'Allowed choices are auto, software'],
    [['chat', '--prefix-strength', '1.1'], 'Expected a number from 0 (no prefix) to 1'],
    [['chat', '--raw', '--system', 'x', 'm', 'hi'], '--raw continues a text'],
    [['chat', '--demo', 'm', 'hi'], '--demo brings its own prompt'],
    [['chat', '--prefix', 'a', '--prefix', 'b', 'm', 'hi'], 'give a single --prefix'],
    [['chat'], 'There is no prompt'],
    [['chat', 'm', ''], 'The prompt is empty'],
    [['chat', '--model', 'm', 'hi'], "The model is the first argument: 'chatglm chat m'."],
    [['generate', '--model', 'm'], "The model is the first argument: 'chatglm generate m'."],
    [['generate', 'm', '--input', 'a'], "required option '--output <file>' not specified"],
    [['generate', 'm', '--input', 'a', '--output', './a'], 'are the same file'],
    [['generate', 'm', '--input', 'a', '--output', '-', '--resume'], '--resume needs a file'],
    [['generate', 'm', '--input', 'a', '--output', 'b', '--batch', '65'], 'from 1 to 64'],
    [['convert', 'a'], "missing required argument 'dest'"],
    [['convert', 'a', 'b', '--group-size', '16'], 'Expected 32, 64 or 128'],
    [['convert', 'a', 'b', '--group-size', '128'], 'in groups of 32 or 64 here'],
    [['convert', 'a', 'b', '--to', 'ggml'], 'Allowed choices are safetensors, onnx, gguf'],
    [['convert', 'a', 'b', '--to', 'gguf', '--group-size', '64'], '--group-size is 32'],
    [['devises'], 'Did you mean devices?'],
    [['chat', '--tempreature', '1'], 'Did you mean --temperature?'],
  ])('answers %j with 2 and what was expected', async (args, expected) => {
    const { code, out, err } = await command(args, noLibrary)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain('error: ')
    expect(err.replaceAll(/\s+/g, ' ')).toContain(expected)
  })

  it('answers a failure with 1 and its message, and shows where it comes from on request', async () => {
    const failing = stubLibrary(new StubModel(), {
      requestAdapter: async () => {
        throw new AdapterError('adapter.none', 'There is no adapter.')
      },
    })
    expect(await command(['devices'], failing)).toEqual({
      code: 1,
      out: '',
      err: 'error: There is no adapter.\n',
    })
    expect((await command(['devices', '--debug'], failing)).err).toContain('program.test.ts')
  })

  it('points at --debug where the failure is a defect', async () => {
    const failing = stubLibrary(new StubModel(), { requestAdapter: () => Promise.reject(new TypeError('x')) })
    expect((await command(['devices'], failing)).err).toContain('--debug')
  })
})

describe('convert', () => {
  it('says what became of it, on stderr', async () => {
    const given: unknown[] = []
    const library = stubLibrary(new StubModel(), {
      convertCheckpoint: async (source, destination, { quantization, restart }) => {
        given.push(source, destination, quantization, restart)
        return { sourceBytes: 12.48e9, bytes: 3.51e9, files: new Map() }
      },
    })
    const args = ['convert', 'a', 'b', '--bits', '8', '--group-size', '32', '--restart']
    const { code, out, err } = await command(args, library)
    expect([code, out]).toEqual([0, ''])
    expect(given).toEqual(['a', 'b', { bits: 8, groupSize: 32 }, true])
    expect(err).toContain('12.5 GB became 3.5 GB in b')
  })

  it('writes for ONNX Runtime, and says what it cost', async () => {
    const given: unknown[] = []
    const library = stubLibrary(new StubModel(), {
      exportOnnx: async (source, destination, { bits, groupSize } = {}) => {
        given.push(source, destination, bits, groupSize)
        return { sourceBytes: 12.48e9, bytes: 3.8e9, files: new Map(), relativeError: 0.083 }
      },
    })
    const { code, err } = await command(['convert', 'a', 'b', '--to', 'onnx'], library)
    expect(code).toBe(0)
    expect(given).toEqual(['a', 'b', 4, 32])
    expect(err).toContain('Weights are off by 8.3 %')
  })

  it('writes a file for llama.cpp, by its name or into a folder', async () => {
    const given: unknown[] = []
    const library = stubLibrary(new StubModel(), {
      exportGguf: async (source, destination, { bits, file } = {}) => {
        given.push([source, destination, bits, file])
        return { sourceBytes: 12.48e9, bytes: 3.5e9, files: new Map(), relativeError: 0.09 }
      },
    })
    const { err } = await command(['convert', 'a', 'models/b.gguf', '--to', 'gguf', '--bits', '8'], library)
    await command(['convert', 'a', 'b', '--to', 'gguf'], library)
    expect(given).toEqual([
      ['a', 'models', 8, 'b.gguf'],
      ['a', 'b', 4, undefined],
    ])
    expect(err).toContain('to models/b.gguf: GGUF, Q8_0')
  })

  it('stops by Ctrl-C and says how to continue', async () => {
    const io = testIo()
    const library = stubLibrary(new StubModel(), {
      convertCheckpoint: (_source, _destination, { signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason))
          setImmediate(() => io.interrupt())
        }),
    })
    expect(await run(['convert', 'a', 'b'], io, library)).toBe(130)
    expect(io.stderr.text).toContain('Stopped. Run the same command again to continue.')
  })

  it('writes lines without control codes where there is no screen', async () => {
    const now = performance.now
    const library = stubLibrary(new StubModel(), {
      convertCheckpoint: async (_source, _destination, { onProgress }) => {
        // As if 20 seconds went by between the reports.
        for (const step of [0, 1, 2]) {
          performance.now = () => now.call(performance) + step * 20_000
          onProgress?.({ stage: 'convert', doneBytes: step * 1e9, totalBytes: 4e9 })
        }
        return { sourceBytes: 4e9, bytes: 1e9, files: new Map() }
      },
    })
    const { err } = await command(['convert', 'a', 'b'], library).finally(() => {
      performance.now = now
    })
    expect(err).toContain('Converting: 50%, 2.0 / 4.0 GB, 50.0 MB/s, 40 s left')
    expect(err).not.toContain('\x1b')
  })
})

describe('one prompt', () => {
  it('comes from the arguments or a pipe, and its answer alone goes to stdout', async () => {
    const model = new StubModel()
    const fromArguments = await command(['chat', 'm', 'hi', 'there'], stubLibrary(model))
    const fromPipe = await command(['chat', 'm'], stubLibrary(model), 'line 1\nline 2\n')
    expect(fromArguments).toEqual({ code: 0, out: '你好！\n', err: '' })
    expect(fromPipe).toEqual({ code: 0, out: '你好！\n', err: '' })
    expect(model.asked.map(({ messages }) => messages[0].content)).toEqual(['hi there', 'line 1\nline 2'])
    expect(model.disposed).toBe(true)
  })

  it('hands the options on', async () => {
    const model = new StubModel()
    let loaded: LoadModelOptions = {}
    const loadModel = async (_source: string, options: LoadModelOptions) => {
      loaded = options
      return model
    }
    const options = '--temperature 0 --top-k 0 --top-p 0.5 --min-p 0.1 --repetition-penalty 1.1'
    const more =
      '--presence-penalty -0.5 --frequency-penalty 1 --seed 5 --max-tokens 9 --stop a --stop b --ban c'
    const load = '--bits 8 --group-size 32 --context 99 --device software --stall-timeout 2.5'
    const args = `${options} ${more} ${load}`.split(' ')
    await command(['chat', ...args, 'm', 'hi'], stubLibrary(model, { loadModel }))
    expect(loaded).toMatchObject({
      quantization: { bits: 8, groupSize: 32 },
      stallTimeout: 2500,
      contextLength: 99,
      device: 'software',
    })
    expect(model.asked[0].options).toMatchObject({
      temperature: 0,
      topK: 0,
      topP: 0.5,
      minP: 0.1,
      repetitionPenalty: 1.1,
      presencePenalty: -0.5,
      frequencyPenalty: 1,
      seed: 5,
      maxTokens: 9,
      stop: ['a', 'b'],
      bannedWords: ['c'],
    })
  })

  it('gives one JSON object, with tool calls and the reasons for those that cannot be read', async () => {
    const model = new StubModel()
    const call = { type: 'tool-call', name: 'weather', parameters: { city: 'Paris' } } as const
    const error = Object.assign(new Error('expected a literal'), { position: 3 })
    const broken = { type: 'invalid-tool-call', name: 'weather', content: 'x', error } as never
    model.chat = () =>
      streamOf(answerOf('Let me look.') as never[], {
        ...replyOf('Let me look.'),
        segments: [{ type: 'text', text: 'Let me look.' }, call, broken],
      })
    const { out, code } = await command(['chat', '--json', '--seed', '5', 'm', 'hi'], stubLibrary(model))
    expect(code).toBe(0)
    expect(out.split('\n')).toHaveLength(2)
    expect(JSON.parse(out)).toEqual({
      text: 'Let me look.',
      segments: [
        { type: 'text', text: 'Let me look.' },
        call,
        { ...(broken as object), error: 'expected a literal' },
      ],
      toolCalls: [{ name: 'weather', parameters: { city: 'Paris' } }],
      ids: [1, 2, 3],
      logprobs: [-1, -2, -3],
      finishReason: 'stop',
      stopId: 2,
      promptTokens: 7,
      cachedTokens: 0,
      seed: 5,
      prefix: null,
      stats: model.stats,
    })
  })

  it('leaves control characters to a file or a pipe as they are', async () => {
    const model = new StubModel()
    model.answers = [answerOf('a\x1b[31mb')]
    expect((await command(['chat', 'm', 'hi'], stubLibrary(model))).out).toBe('a\x1b[31mb\n')
  })

  it('can be interrupted', async () => {
    const io = testIo()
    const model = new StubModel()
    model.answers = [answerOf('half', 'for ever')]
    const code = run(['chat', 'm', 'hi'], io, stubLibrary(model))
    await vi.waitFor(() => expect(io.stdout.text).toBe('half'))
    io.interrupt()
    expect(await code).toBe(130)
    expect(io.stdout.text).toBe('half\n')
    expect(io.stderr.text).toBe('Stopped.\n')
    expect(model.disposed).toBe(true)
  })

  it('can be interrupted while the model loads, which is given back', async () => {
    const io = testIo()
    const model = new StubModel()
    const loadModel = async () => {
      io.interrupt()
      return model
    }
    expect(await run(['chat', 'm', 'hi'], io, stubLibrary(model, { loadModel }))).toBe(130)
    expect(model.asked).toEqual([])
    expect(model.disposed).toBe(true)
  })

  it('was perhaps given where the model belongs', async () => {
    const missing = stubLibrary(new StubModel(), {
      loadModel: async () => {
        throw new SourceError('source.not-found', 'Cannot open it.')
      },
    })
    expect((await command(['chat', '你好', 'x'], missing)).err).toContain('chatglm chat tiny 你好')
    expect((await command(['chat', 'models/x', 'x'], missing)).err).toBe('error: Cannot open it.\n')
  })
})

describe('--prefix', () => {
  it('that is not there is answered with the names of those that the bundled model has', async () => {
    const model = new StubModel()
    model.loadAdapter = async () => {
      throw new SourceError('source.not-found', 'Cannot open it.')
    }
    const errorOf = async (name: string) =>
      (await command(['chat', name, 'hi', '--prefix', 'nosuch'], stubLibrary(model))).err
    expect(await errorOf('tiny')).toContain('Cannot open it.\nPrefixes that tiny has by name: json, poem.\n')
    expect(await errorOf('m')).toBe('error: Cannot open it.\n')
  })
})

describe('--variant', () => {
  it('chooses kernels by name', async () => {
    const given: unknown[] = []
    const library = stubLibrary(new StubModel(), {
      loadModel: async (_, { variants }) => {
        given.push(variants)
        return new StubModel()
      },
    })
    const args = ['--variant', 'prefill-product=int8', '--variant', 'decode=float']
    expect((await command(['chat', 'm', 'x', ...args], library)).code).toBe(0)
    expect((await command(['chat', 'm', 'x'], library)).code).toBe(0)
    expect(given).toEqual([{ prefillProduct: 'int8', decode: 'float' }, undefined])
  })

  it('is refused where it is no name and value', async () => {
    const { code, err } = await command(['chat', 'm', 'x', '--variant', 'decode'])
    expect([code, err]).toEqual([
      2,
      'error: --variant decode: expected name=value, for example --variant decode=float.\n',
    ])
  })
})

describe('loading', () => {
  it('says once what did not go as planned', async () => {
    const library = stubLibrary(new StubModel(), {
      loadModel: async (_, { onProgress }) => {
        onProgress?.({ stage: 'kernels', doneBytes: 1, totalBytes: 1, kernels: { done: 1, total: 2 } })
        onProgress?.({ stage: 'kernels', doneBytes: 1, totalBytes: 1, warning: 'It did not compile.' })
        return new StubModel()
      },
    })
    const { err } = await command(['chat', 'm', 'x'], library)
    expect(err.match(/warning: It did not compile\./g)).toHaveLength(1)
  })
})

describe('the demonstration', () => {
  const demo = async (adapter: GPUAdapter) =>
    command(['chat', '--demo'], stubLibrary(new StubModel(), { requestAdapter: async () => adapter }))

  it('says what is used, asks one question without and with each prefix, and ends', async () => {
    const { code, out, err } = await demo(adapterOf('NVIDIA H200', 'hopper'))
    expect([code, out]).toEqual([0, '你好！\n'.repeat(4)])
    expect(err).toContain('Adapter: NVIDIA H200, your GPU.')
    expect(err).toContain('models/tiny. It is small')
    expect(err).toMatch(/no prefix\n.*prefix json \(8 rows\)\n.*prefix poem \(8 rows\)\n/s)
    expect(err).toContain('tok/s')
  })

  it('says how to use a GPU where there is none', async () => {
    const { err } = await demo(adapterOf('SwiftShader', 'swiftshader'))
    expect(err.split('\n')[0]).toContain(
      'software adapter on the CPU. To use a GPU, install its Vulkan driver.',
    )
  })
})
