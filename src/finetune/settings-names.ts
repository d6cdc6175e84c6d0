import type { LoraSettings, OptimizationSettings, TrainingSettings } from './settings.js'

/** Settings of every training by the names that the official scripts and Hugging Face's `TrainingArguments` give them. */
const OPTIMIZATION_NAMES: Readonly<Record<string, keyof OptimizationSettings>> = {
  LR: 'learningRate',
  learning_rate: 'learningRate',
  lr_scheduler_type: 'schedule',
  warmup_steps: 'warmupSteps',
  adam_beta1: 'beta1',
  adam_beta2: 'beta2',
  adam_epsilon: 'epsilon',
  weight_decay: 'weightDecay',
  max_grad_norm: 'maxGradientNorm',
  DEV_BATCH_SIZE: 'batchSize',
  per_device_train_batch_size: 'batchSize',
  // So spelt in the official scripts.
  GRAD_ACCUMULARION_STEPS: 'accumulationSteps',
  GRAD_ACCUMULATION_STEPS: 'accumulationSteps',
  gradient_accumulation_steps: 'accumulationSteps',
  MAX_STEP: 'maxSteps',
  max_steps: 'maxSteps',
  SAVE_INTERVAL: 'saveInterval',
  save_steps: 'saveInterval',
  logging_steps: 'logInterval',
  eval_steps: 'evaluationInterval',
  early_stopping_patience: 'earlyStopping',
  seed: 'seed',
}

/** The names of settings of a prefix. */
export const TRAINING_NAMES: Readonly<Record<string, keyof TrainingSettings>> = {
  PRE_SEQ_LEN: 'prefixLength',
  pre_seq_len: 'prefixLength',
  num_virtual_tokens: 'prefixLength',
  prefix_projection: 'prefixProjection',
  dropout: 'dropout',
  ...OPTIMIZATION_NAMES,
}

/** The names of settings of LoRA: PEFT's, and LLaMA-Factory's. */
export const LORA_NAMES: Readonly<Record<string, keyof LoraSettings>> = {
  r: 'rank',
  lora_rank: 'rank',
  lora_alpha: 'alpha',
  lora_dropout: 'dropout',
  use_rslora: 'rslora',
  target_modules: 'targetModules',
  lora_target: 'targetModules',
  ...OPTIMIZATION_NAMES,
}

export const LENGTH_NAMES: Readonly<Record<string, keyof Lengths>> = {
  MAX_SOURCE_LEN: 'source',
  max_source_length: 'source',
  MAX_TARGET_LEN: 'target',
  max_target_length: 'target',
  MAX_SEQ_LEN: 'sequence',
  max_seq_length: 'sequence',
  max_input_length: 'input',
  max_output_length: 'output',
  cutoff_len: 'sequence',
}

/** A limit of lengths, and the name that the file gives it. */
export interface Length {
  readonly tokens: number
  readonly path: string
}

export type Lengths = Partial<Record<'source' | 'target' | 'sequence' | 'input' | 'output', Length>>

/** Names whose value can only be one of a few. */
export const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  task_type: ['CAUSAL_LM'],
  // All of them compute the same.
  optim: ['adamw_torch', 'adamw_torch_fused', 'adamw_hf'],
  metric_for_best_model: ['loss', 'eval_loss'],
  greater_is_better: [false],
  label_smoothing_factor: [0],
  auto_find_batch_size: [false],
  inference_mode: [false],
  NUM_GPUS: [1],
}

/** The same, by what is trained. */
export const FIXED_OF = {
  prefix: { peft_type: ['PREFIX_TUNING'] },
  lora: {
    ...{
      peft_type: ['LORA'],
      bias: ['none'],
      use_dora: [false],
      fan_in_fan_out: [false],
      modules_to_save: [null],
    },
    // LLaMA-Factory's.
    ...{ finetuning_type: ['lora'], stage: ['sft'], template: ['chatglm3'], pissa_init: [false] },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>

/** Names that say how often something happens: in steps of the interval, or once in an epoch. */
export const STRATEGIES: Readonly<Record<string, 'saveInterval' | 'logInterval' | 'evaluationInterval'>> = {
  save_strategy: 'saveInterval',
  logging_strategy: 'logInterval',
  evaluation_strategy: 'evaluationInterval',
  eval_strategy: 'evaluationInterval',
}

/** Names whose meaning depends on the data. */
export const RELATIVE_NAMES: Readonly<Record<string, 'epochs' | 'warmupRatio'>> = {
  num_train_epochs: 'epochs',
  warmup_ratio: 'warmupRatio',
}

/** What to write instead of names that other programs know. */
export const REFUSED: Readonly<Record<string, string>> = {
  load_best_model_at_end: 'With early_stopping_patience the best prefix is kept.',
  lr: 'Write learning_rate.',
  batch_size: 'Write per_device_train_batch_size.',
  train_batch_size: 'Write per_device_train_batch_size.',
  per_gpu_train_batch_size: 'Write per_device_train_batch_size.',
  num_epochs: 'Write num_train_epochs.',
  epochs: 'Write num_train_epochs.',
  eval_interval: 'Write eval_steps.',
  lora_rank: 'It belongs to LoRA: --method lora.',
  lora_alpha: 'It belongs to LoRA: --method lora.',
  group_by_length: 'Samples come in the order of the seed; take it out.',
  data_seed: 'The order of samples follows seed; take it out.',
  neftune_noise_alpha: 'No noise is added to embeddings; take it out.',
  dataloader_drop_last: 'Every sample is used; take it out.',
  quantization_bit: 'The model itself is quantized: --bits, or chatglm convert.',
}

/** Names that mean something to the official programs alone: paths, workers, evaluation by generating. */
export const UNUSED: readonly string[] = [
  ...['BASE_MODEL_PATH', 'DATASET_PATH', 'OUTPUT_DIR', 'RUN_NAME', 'DATESTR', 'AUTORESUME_FROM_CHECKPOINT'],
  ...['train_file', 'val_file', 'test_file', 'num_proc', 'train_format', 'model_name_or_path', 'output_dir'],
  ...['preprocessing_num_workers', 'dataloader_num_workers', 'remove_unused_columns', 'log_level', 'use_cpu'],
  // Precision and memory are the engine's own, and every checkpoint is kept.
  ...['bf16', 'fp16', 'tf32', 'bf16_full_eval', 'fp16_full_eval', 'half_precision_backend', 'torch_compile'],
  ...['gradient_checkpointing', 'gradient_checkpointing_kwargs', 'save_total_limit', 'save_safetensors'],
  ...[
    'deepspeed',
    'fsdp',
    'local_rank',
    'ddp_find_unused_parameters',
    'ddp_timeout',
    'dataloader_pin_memory',
  ],
  ...['report_to', 'logging_dir', 'logging_first_step', 'run_name', 'disable_tqdm', 'push_to_hub'],
  ...[
    'dataset',
    'dataset_dir',
    'overwrite_cache',
    'plot_loss',
    'overwrite_output_dir',
    'do_train',
    'do_eval',
    'do_predict',
    'eval_accumulation_steps',
  ],
  ...['per_device_eval_batch_size', 'predict_with_generate', 'generation_config', 'resume_from_checkpoint'],
]

export const SECTIONS = ['data_config', 'training_args', 'peft_config']

export const SCHEDULE_NAMES: Readonly<Record<string, TrainingSettings['schedule']>> = {
  linear: 'linear',
  cosine: 'cosine',
  constant: 'constant',
  constant_with_warmup: 'constant',
}

/** Settings that only the training of a prefix has. */
export const PREFIX_SETTINGS: readonly (keyof TrainingSettings)[] = [
  'prefixLength',
  'prefixProjection',
  'dropout',
]
