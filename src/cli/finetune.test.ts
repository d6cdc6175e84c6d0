import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryFiles } from '../checkpoint/index.js'
import { evaluate } from '../evaluate/index.js'
import type { FinetuneModelOptions } from '../finetune/index.js'
import { FAKE_MODEL, FakeTraining } from '../finetune/testing/fake-engine.js'
import { trainPrefix } from '../finetune/train-prefix.js'
import { Tokenizer } from '../tokenizer/index.js'
import type { CliModel, Library } from './library.js'
import { run } from './program.js'
import { command, noLibrary, StubModel, stubLibrary, testIo } from './testing.js'

const tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))

/** A stub that can be trained, with a real tokenizer. */
class TrainableStub extends StubModel {
  override readonly config = FAKE_MODEL
  override get tokenizer(): CliModel['tokenizer'] {
    return tokenizer
  }
  /** Every token is as likely as any other. */
  override async scores(ids?: unknown): ReturnType<CliModel['scores']> {
    const logprob = -Math.log(FAKE_MODEL.vocabulary)
    return { tokens: (ids as number[]).map((id) => ({ id, logprob, top: [] })), next: [] }
  }
}

/** A library that trains on the CPU; `prepare` may arrange for what happens. */
function trainingLibrary(model = new TrainableStub(), prepare: (engine: FakeTraining) => void = () => {}) {
  const finetunePrefix: Library['finetunePrefix'] = async (_model, dataset, options) => {
    const outcome = await trainPrefix(
      async (engineOptions) => {
        const engine = new FakeTraining(engineOptions)
        prepare(engine)
        return engine
      },
      FAKE_MODEL,
      dataset,
      options,
    )
    return { ...outcome, prefix: { kind: 'prefix', name: 'trained', length: 3 } }
  }
  return stubLibrary(model, { finetunePrefix, evaluate })
}

let folder: string
let data: string
let output: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chatglm-finetune-'))
  data = join(folder, 'train.jsonl')
  output = join(folder, 'out')
  const records = ['裙', '裤', '上衣'].map((kind) => ({ prompt: `类型#${kind}`, response: `好看的${kind}` }))
  await writeFile(data, records.map((record) => JSON.stringify(record)).join('\n'))
})
afterEach(() => rm(folder, { recursive: true }))

const SHORT = [
  '--max-steps',
  '4',
  '--accumulation-steps',
  '2',
  '--prefix-length',
  '3',
  '--save-interval',
  '2',
]
const finetuneArgs = (...more: string[]) => [
  ...['finetune', '--model', 'm', '--data', data, '--output', output],
  ...SHORT,
  ...more,
]
const training = async (...path: string[]) =>
  JSON.parse(await readFile(join(output, ...path, 'training.json'), 'utf8'))

describe('chatglm finetune', () => {
  it('says what it learns from and what that takes, trains, and says where the prefix is', async () => {
    const { code, err } = await command(finetuneArgs('--eval-data', data), trainingLibrary())
    expect(code).toBe(0)
    expect(err).toContain(`${data}: 3 samples, `)
    expect(err).toContain('[gMASK]sop 类型#裙⟦ 好看的裙</s>⟧')
    expect(err).toContain('Trained: 48 parameters')
    expect(err).toContain('GPU memory: 3.5 GB (model 3.5 GB, activations 1.0 kB)')
    expect(err).toMatch(/step 2: checkpoint-2 saved, loss \d\.\d{3}/)
    expect(err).toMatch(/step 4: loss on held-out data \d\.\d{3}, perplexity [\d.]+, the best so far/)
    expect(err).toMatch(/Done: 4 steps in .* s, loss \d\.\d{3} → \d\.\d{3}/)
    expect(err).toContain(`chatglm chat m --raw --prefix ${output}`)
    expect(await readFile(join(output, 'loss.svg'), 'utf8')).toMatch(
      /^<svg[\s\S]*held-out data[\s\S]*<\/svg>\s*$/,
    )
    expect((await readdir(output)).sort()).toEqual([
      ...['checkpoint-2', 'checkpoint-4', 'checkpoints.json', 'config.json'],
      ...['loss.svg', 'model.safetensors', 'trainer_state.json'],
    ])
  })

  it('takes settings of a preset, of a file above it, and of options above both', async () => {
    const config = join(folder, 'settings.yaml')
    await writeFile(config, 'LR: 1e-3\nPRE_SEQ_LEN: 9\nMAX_TARGET_LEN: 2\nDATASET_PATH: x\n')
    const { err } = await command(finetuneArgs('--config', config, '--schedule', 'cosine'), trainingLibrary())
    expect(err).toContain(`Not used of ${config}: DATASET_PATH.`)
    expect(err).toContain('3 samples cut to 1024 tokens of prompt or 2 of response.')
    expect((await training('checkpoint-4')).settings).toMatchObject({
      ...{ learningRate: 1e-3, prefixLength: 3, schedule: 'cosine', accumulationSteps: 2, dropout: 0.1 },
      logInterval: 1,
    })
  })

  it('learns from conversations with the other presets', async () => {
    await writeFile(
      data,
      JSON.stringify({
        conversations: [
          { role: 'user', content: '你好' },
          { role: 'assistant', content: '你好！' },
        ],
      }),
    )
    const { code, err } = await command(
      finetuneArgs('--preset', 'ptuning-v2', '--torch-bin', '--max-length', '40'),
      trainingLibrary(),
    )
    expect([code, err]).toEqual([0, expect.stringContaining('<|assistant|>⟦ \n')])
    expect(err).toContain(`chatglm chat m --prefix ${output}`)
    expect(existsSync(join(output, 'pytorch_model.bin'))).toBe(true)
  })

  it('saves what was learnt at Ctrl-C, and goes on with it', async () => {
    const io = testIo()
    const stop = (engine: FakeTraining) => {
      engine.beforeUpdate = (step) => {
        if (step === 3) io.interrupt()
      }
    }
    expect(await run(finetuneArgs(), io, trainingLibrary(undefined, stop))).toBe(130)
    expect(io.stderr.text).toContain('checkpoint-3 is saved. The same command with --resume goes on there.')
    expect(existsSync(join(output, 'loss.svg'))).toBe(true)

    const again = await command(finetuneArgs(), trainingLibrary())
    expect([again.code, again.err]).toEqual([
      1,
      expect.stringMatching(/up to checkpoint-3 already\. Resume it.*\n--resume goes on with it\.\n$/),
    ])
    const other = await command(finetuneArgs('--resume', '--learning-rate', '1'), trainingLibrary())
    expect([other.code, other.err]).toEqual([
      1,
      expect.stringContaining('was begun with learningRate 0.02, not 1'),
    ])
    expect(other.err).not.toContain('--resume goes on')
    const resumed = await command(finetuneArgs('--resume'), trainingLibrary())
    expect(resumed.code).toBe(0)
    expect(resumed.err).toContain('Resuming after step 3 of 4.')
    expect(resumed.err).toContain('Done: 1 step in')
    const complete = await command(finetuneArgs('--resume'), trainingLibrary())
    expect(complete.err).toContain('is complete: all 4 steps are taken.')
  })

  it('says why a training cannot go on, and what is kept', async () => {
    const fail = (engine: FakeTraining) => {
      engine.beforeUpdate = (step) => {
        if (step === 4) throw new Error('The loss is NaN.')
      }
    }
    const { code, err } = await command(finetuneArgs(), trainingLibrary(undefined, fail))
    expect(code).toBe(1)
    expect(err).toContain('The training stopped after 3 of 4 steps: The loss is NaN.')
    expect(err).toContain('checkpoint-2 is complete: resume from there.')
  })

  it('ends early when it is told to', async () => {
    const rising = (engine: FakeTraining) => {
      engine.penalties = [0, 0, 0, 5]
    }
    const args = ['--eval-data', data, '--evaluation-interval', '1', '--early-stopping', '1']
    const { err } = await command(finetuneArgs(...args), trainingLibrary(undefined, rising))
    expect(err).toContain('Ended early')
    expect(err).toMatch(/Best loss on held-out data: .*, after step 1/)
  })

  it('refuses what makes no sense before it loads anything', async () => {
    for (const [args, message] of [
      [['finetune', '--model', 'm'], "required option '--data <file>'"],
      [
        finetuneArgs('--preset', 'adalora'),
        'Allowed choices are ptuning, ptuning-multiturn, ptuning-v2, lora',
      ],
      [finetuneArgs('--target-modules', 'q_proj', '--method', 'lora'), '"q_proj" is none of query_key_value'],
      [finetuneArgs('--learning-rate', '0'), 'Expected a number above 0'],
    ] as const) {
      const { code, err } = await command(args, noLibrary)
      expect([code, err]).toEqual([2, expect.stringContaining(message)])
    }
    const pairs = await command(finetuneArgs('--max-length', '9'), trainingLibrary())
    expect([pairs.code, pairs.err]).toEqual([2, expect.stringContaining('--max-length is for conversations')])
    const turns = await command(
      finetuneArgs('--preset', 'ptuning-v2', '--max-source-length', '9'),
      trainingLibrary(),
    )
    expect([turns.code, turns.err]).toEqual([2, expect.stringContaining('are for pairs')])
  })

  it('names file and line of data that it cannot use, before a model is loaded', async () => {
    await writeFile(data, '{"prompt": "a", "response": "b"}\n{"prompt": 1}\n')
    const loadModel = () => Promise.reject(new Error('The model was loaded.'))
    const { code, err } = await command(finetuneArgs(), stubLibrary(undefined, { loadModel }))
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('train.jsonl, line 2: expected prompt to be a text'),
    ])
    expect(existsSync(output)).toBe(false)
  })

  it('shows progress and colours on a screen', async () => {
    const io = testIo({ terminal: true })
    Object.assign(io, { env: { FORCE_COLOR: '1' } })
    expect(await run(finetuneArgs(), io, trainingLibrary())).toBe(0)
    expect(io.stderr.text).toContain('what is learnt is \x1b[32mgreen')
    expect(io.stderr.text).toContain('类型#裙\x1b[32m 好看的裙</s>\x1b[39m')
  })
})

describe('chatglm finetune --preset sft', () => {
  const conversation = {
    conversations: [
      { role: 'user', content: '裙' },
      { role: 'assistant', content: '好看' },
    ],
  }
  const args = (...more: string[]) => [
    ...['finetune', '--preset', 'sft', '--model', 'm', '--data', data, '--output', output],
    ...more,
  ]
  /** A library that writes down with what all weights are to be trained. */
  function recordingLibrary() {
    const asked: FinetuneModelOptions[] = []
    const finetuneModel: Library['finetuneModel'] = async (_model, _dataset, options) => {
      asked.push(options)
      return { steps: 7, stopReason: 'completed', best: null, log: [], files: new MemoryFiles() }
    }
    return { asked, library: stubLibrary(new TrainableStub(), { finetuneModel }) }
  }
  beforeEach(() => writeFile(data, JSON.stringify(conversation)))

  it('trains all weights, and says how to chat with them', async () => {
    const config = join(folder, 'sft.yaml')
    await writeFile(config, 'training_args:\n  adam_beta2: 0.95\n  max_steps: 9\n')
    const { asked, library } = recordingLibrary()
    const { code, err } = await command(args('--config', config, '--learning-rate', '1e-3'), library)
    expect([code, err]).toEqual([0, expect.stringContaining(`chatglm chat ${output}\n`)])
    expect(asked[0]).toMatchObject({ beta2: 0.95, maxSteps: 9, learningRate: 1e-3, batchSize: 4 })
    expect(asked[0]).not.toHaveProperty('prefixLength')
  })

  it.each([
    [['--prefix-length', '3'], '--prefix-length is for prefixes'],
    [['--bits', '4'], '--bits is for prefixes'],
    [['--torch-bin'], '--torch-bin is for prefixes'],
  ])('refuses %s', async (more, message) => {
    const { asked, library } = recordingLibrary()
    const { code, err } = await command(args(...more), library)
    expect([code, err, asked]).toEqual([2, expect.stringContaining(message), []])
  })

  it('refuses settings of a prefix in a file', async () => {
    const config = join(folder, 'ptuning.yaml')
    await writeFile(config, 'peft_config:\n  num_virtual_tokens: 8\n')
    const { code, err } = await command(args('--config', config), recordingLibrary().library)
    expect(code).toBe(1)
    expect(err).toContain('peft_config.num_virtual_tokens is a setting of a prefix')
  })
})

describe('chatglm evaluate', () => {
  const evaluateArgs = (...more: string[]) => ['evaluate', '--model', 'm', '--data', data, ...more]

  it('shows the model alone and with a prefix side by side', async () => {
    const model = new TrainableStub()
    model.answerTo = () => '好看的裙'
    const args = evaluateArgs('--prefix', 'a/ads', '--samples', '2', '--batch', '2')
    const { code, out } = await command(args, trainingLibrary(model))
    expect(code).toBe(0)
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    // The first answer is right, the second has 2 of 3 words.
    const loss = Math.log(FAKE_MODEL.vocabulary).toFixed(3)
    expect(rows).toEqual([
      ['base', 'ads'],
      ['loss', loss, loss],
      ['perplexity', '3008', '3008'],
      ['BLEU-4', expect.stringMatching(/^0\.\d{4}$/), rows[3][2]],
      ['ROUGE-1', '83.33', '83.33'],
      ['ROUGE-2', '75.00', '75.00'],
      ['ROUGE-L', '83.33', '83.33'],
    ])
    expect(
      new Set(
        out
          .trimEnd()
          .split('\n')
          .map((line) => line.length),
      ).size,
    ).toBe(1)
    expect(model.continued.map(({ options }) => [options.temperature, options.prefix?.name])).toEqual([
      [0, undefined],
      [0, 'a/ads'],
    ])
  })

  it('leaves the answers out, or tells of empty ones', async () => {
    const { out } = await command(evaluateArgs('--no-answers'), trainingLibrary())
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['', 'loss', 'perplexity', ''])
    const silent = new TrainableStub()
    silent.answerTo = () => ' '
    const { out: table, err } = await command(evaluateArgs(), trainingLibrary(silent))
    expect(table).toMatch(/ROUGE-1 +0\.00/)
    expect(err).toContain('Empty answers, which score 0: 3 of 3.')
  })
})

describe('chatglm data', () => {
  it('converts AdvertiseGen to pairs or conversations', async () => {
    const input = join(folder, 'ads.json')
    await writeFile(input, '{"content": "类型#裙", "summary": "好看"}\n')
    const { code, err } = await command(['data', 'advertise-gen', input, join(folder, 'new/pairs.jsonl')])
    expect([code, err]).toEqual([0, expect.stringContaining(`1 record of ${input} written to`)])
    expect(await readFile(join(folder, 'new/pairs.jsonl'), 'utf8')).toBe(
      '{"prompt":"类型#裙","response":"好看"}\n',
    )
    await command(['data', 'advertise-gen', '--conversations', input, join(folder, 'turns.jsonl')])
    expect(JSON.parse(await readFile(join(folder, 'turns.jsonl'), 'utf8'))).toEqual({
      conversations: [
        { role: 'user', content: '类型#裙' },
        { role: 'assistant', content: '好看' },
      ],
    })
  })

  it('converts ToolAlpaca, and says what it left out', async () => {
    const input = join(folder, 'tools.json')
    const instance = { input: 'q', output: 'a', 'Final Thought': 't', intermediate_steps: [] }
    await writeFile(input, JSON.stringify([{ NLDocumentation: 'd', Instances: [instance, {}] }]))
    const { err } = await command(['data', 'tool-alpaca', input, join(folder, 'out.jsonl')])
    expect(err).toContain('1 malformed instance left out')
    expect(JSON.parse(await readFile(join(folder, 'out.jsonl'), 'utf8')).tools).toEqual(['d'])
  })

  it('writes over nothing, and leaves no half file', async () => {
    const converted = join(folder, 'out.jsonl')
    const exists = await command(['data', 'advertise-gen', data, data])
    expect([exists.code, exists.err]).toEqual([1, expect.stringContaining(`${data} exists already`)])
    const wrong = await command(['data', 'advertise-gen', data, converted])
    expect([wrong.code, wrong.err]).toEqual([
      1,
      expect.stringContaining('line 1: expected the texts content and summary'),
    ])
    const nowhere = await command(['data', 'advertise-gen', data, join(data, 'out.jsonl')])
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('Cannot write')])
    expect(await readdir(folder)).toEqual(['train.jsonl'])
    const unknown = await command(['data', 'alpaca', data, converted])
    expect(unknown.code).toBe(2)
  })
})
