/** Settings of a training in files, by the names of the official programs. */
import { describe, expect, it } from 'vitest'
import { LORA, PRESETS } from './presets.js'
import { isOfLora, parseLoraSettings, parseSettings, withData } from './settings-file.js'

const read = (text: string, base?: keyof typeof PRESETS) => parseSettings(text, 'settings.yaml', base)

const SCRIPT = `
PRE_SEQ_LEN: 128
LR: 2e-2
NUM_GPUS: 1
MAX_SOURCE_LEN: 1024
MAX_TARGET_LEN: 128
DEV_BATCH_SIZE: 1
GRAD_ACCUMULARION_STEPS: 32
MAX_STEP: 1000
SAVE_INTERVAL: 500
DATASET_PATH: formatted_data/advertise_gen.jsonl
`

const YAML = `
data_config:
  train_file: train.json
  num_proc: 16
max_input_length: 128
max_output_length: 256
training_args:
  # see transformers.Seq2SeqTrainingArguments
  output_dir: ./output
  max_steps: 3000
  learning_rate: 3e-4
  per_device_train_batch_size: 4
  save_strategy: steps
  save_steps: 500
  evaluation_strategy: steps
  lr_scheduler_type: constant_with_warmup
  warmup_steps: 10
  adam_epsilon: 1e-6
  predict_with_generate: true
  generation_config:
    max_new_tokens: 512
peft_config:
  peft_type: PREFIX_TUNING
  task_type: CAUSAL_LM
  num_virtual_tokens: 64
`

const TRANSFORMERS = `
training_args:
  num_train_epochs: 3
  learning_rate: "5e-5"
  per_device_train_batch_size: 2
  gradient_accumulation_steps: 4
  eval_strategy: steps
  save_strategy: epoch
  bf16: true
  gradient_checkpointing: true
  save_total_limit: 2
  warmup_ratio: 0.1
peft_config:
  peft_type: PREFIX_TUNING
  task_type: CAUSAL_LM
  num_virtual_tokens: 16
`

describe('a file of settings', () => {
  it("may have the names of Hugging Face's Trainer, whose epochs become steps with the data", async () => {
    const { preset, unused, relative } = await read(TRANSFORMERS)
    expect(preset.training).toMatchObject({ learningRate: 5e-5, prefixLength: 16, batchSize: 2 })
    expect(unused).toEqual(
      ['bf16', 'gradient_checkpointing', 'save_total_limit'].map((name) => `training_args.${name}`),
    )
    expect(relative).toEqual({ epochs: 3, warmupRatio: 0.1, everyEpoch: ['saveInterval'] })
    // 101 samples are 51 micro-batches, so 13 steps.
    expect(withData(preset.training, relative, 101)).toMatchObject({
      maxSteps: 39,
      warmupSteps: 4,
      saveInterval: 13,
    })
    expect(withData(preset.training, relative, 1)).toMatchObject({
      maxSteps: 3,
      warmupSteps: 1,
      saveInterval: 1,
    })
    const steps = await read(`${TRANSFORMERS}max_steps: 7`)
    expect(withData(steps.preset.training, steps.relative, 101)).toMatchObject({
      maxSteps: 7,
      warmupSteps: 1,
    })
    expect((await read('max_steps: -1\nnum_train_epochs: 1')).relative).toEqual({ epochs: 1 })
  })

  it('may have the names of finetune_pt.sh, whose values are the preset ptuning', async () => {
    expect(await read(SCRIPT)).toEqual({
      preset: PRESETS.ptuning,
      unused: ['DATASET_PATH'],
      relative: {},
    })
    const multiTurn = SCRIPT.replace(/MAX_(SOURCE|TARGET)_LEN: \d+\n/g, '').replace(': 32', ': 16')
    expect((await read(`${multiTurn}MAX_SEQ_LEN: 2048`)).preset).toEqual(PRESETS['ptuning-multiturn'])
  })

  it('may have the structure of ptuning_v2.yaml', async () => {
    const { preset, unused } = await read(YAML)
    expect(preset).toEqual({
      data: { format: 'multi-turn', maxLength: 385 },
      training: {
        ...PRESETS['ptuning-v2'].training,
        learningRate: 3e-4,
        schedule: 'constant',
        warmupSteps: 10,
        epsilon: 1e-6,
        prefixLength: 64,
      },
    })
    expect(unused).toContain('training_args.generation_config')
    expect((await read('max_output_length: 100')).preset.data).toEqual({
      format: 'multi-turn',
      maxLength: 357,
    })
  })

  it('leaves everything else to the preset', async () => {
    const { preset } = await read('max_steps: 7\nprefix_projection: true', 'ptuning-v2')
    expect(preset.data).toEqual(PRESETS['ptuning-v2'].data)
    expect(preset.training).toEqual({
      ...PRESETS['ptuning-v2'].training,
      maxSteps: 7,
      prefixProjection: true,
    })
  })

  it.each([
    ['LR: [', 'settings.yaml is no YAML'],
    ['hello', 'settings.yaml: expected names and values, found "hello"'],
    ['LR: fast', 'settings.yaml: LR is "fast"; expected a number.'],
    [
      'training_args: {learning_rate: 1e-3, neftune_noise_alpha: 5}',
      'training_args.neftune_noise_alpha is no setting of a training that is supported here. No noise',
    ],
    ['constructor: 1', 'constructor is no setting'],
    ['__proto__: {LR: 1}', '__proto__ is no setting'],
    [
      'training_args: {__proto__: 1, toString: 2}',
      '2 settings cannot be used:\n  training_args.__proto__ is no setting',
    ],
    ['seed: 12345678901234567890', 'expected a whole number below 2^32'],
    ['LR: 0', 'LR is 0; expected a number above 0.'],
    ['save_strategy: best', 'save_strategy is "best"; expected steps or epoch.'],
    ['num_train_epochs: 0', 'expected a number of epochs above 0'],
    ['lr: 1', 'Write learning_rate.'],
    ['training_args: 3', 'expected training_args to be names and values'],
    ['peft_config: {peft_type: LORA}', 'peft_config.peft_type is "LORA"; only PREFIX_TUNING is supported'],
    ['NUM_GPUS: 4', 'NUM_GPUS is 4; only 1 is supported'],
    ['lr_scheduler_type: polynomial', 'expected one of linear, cosine, constant, constant_with_warmup'],
    ['prefix_projection: 1', 'prefix_projection is 1; expected true or false'],
    ['MAX_SEQ_LEN: 0', 'MAX_SEQ_LEN is 0; expected a whole number of tokens'],
    ['MAX_SEQ_LEN: 64\nMAX_SOURCE_LEN: 64', 'MAX_SOURCE_LEN has no meaning for conversations'],
  ])('that says %j is refused', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
    await expect(read(text)).rejects.toMatchObject({ code: 'option.settings-file' })
  })
})

describe('settings of LoRA', () => {
  const OFFICIAL = `
data_config:
  train_file: train.json
max_input_length: 256
max_output_length: 512
training_args:
  max_steps: 3000
  learning_rate: 5e-5
  per_device_train_batch_size: 4
peft_config:
  peft_type: LORA
  task_type: CAUSAL_LM
  r: 8
  lora_alpha: 32
  lora_dropout: 0.1
`
  const LLAMA_FACTORY = `
stage: sft
finetuning_type: lora
lora_rank: 16
lora_alpha: 32
use_rslora: true
lora_target: all
template: chatglm3
cutoff_len: 1024
num_train_epochs: 3.0
`

  it('are those of the official lora.yaml, which is the preset', async () => {
    const { preset } = await parseLoraSettings(OFFICIAL, 'lora.yaml')
    expect(preset).toEqual(LORA)
    expect(isOfLora(OFFICIAL)).toBe(true)
    expect(isOfLora(YAML)).toBe(false)
  })

  it('have the names of LLaMA-Factory, too', async () => {
    const { preset, relative } = await parseLoraSettings(LLAMA_FACTORY, 'sft.yaml')
    const targetModules = ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h']
    expect(preset.training).toMatchObject({ rank: 16, alpha: 32, rslora: true, targetModules })
    expect(preset.data).toMatchObject({ maxLength: 1024 })
    expect(relative).toEqual({ epochs: 3 })
    expect(isOfLora(LLAMA_FACTORY)).toBe(true)
  })

  it.each([
    ['target_modules: [q_proj]', /target_modules.*query_key_value/],
    ['r: 0', /r is 0/],
    ['use_dora: true', /use_dora is true; only false/],
    ['bias: all', /only none/],
    ['PRE_SEQ_LEN: 128', /PRE_SEQ_LEN is no setting/],
    ['peft_type: PREFIX_TUNING', /only LORA/],
  ])('refuse %s', async (text, message) => {
    await expect(parseLoraSettings(text, 'lora.yaml')).rejects.toMatchObject({
      code: 'option.settings-file',
      message: expect.stringMatching(message),
    })
  })
})
