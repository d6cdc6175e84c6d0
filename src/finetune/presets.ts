import type { DataSettings } from '../data/index.js'
import type { LoraSettings, OptimizationSettings, TrainingSettings } from './settings.js'

/** Settings that belong together. */
export interface Preset {
  readonly data: DataSettings
  readonly training: TrainingSettings
}

/** Settings of a training of all weights that belong together. */
export interface ModelPreset {
  readonly data: DataSettings
  readonly training: OptimizationSettings
}

/** The defaults of Hugging Face's `TrainingArguments`, and what the official scripts have in common. */
const OPTIMIZATION = {
  schedule: 'linear',
  warmupSteps: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: 1,
  saveInterval: 500,
  evaluationInterval: 500,
  earlyStopping: 0,
  seed: 42,
} as const satisfies Partial<OptimizationSettings>

/** With the defaults of ChatGLM3's prefix encoder, which no script changes. */
const COMMON = {
  ...OPTIMIZATION,
  prefixLength: 128,
  prefixProjection: false,
  dropout: 0.1,
} as const satisfies Partial<TrainingSettings>

/** The official P-Tuning v2 recipes, with the values that their files give. */
export const PRESETS = {
  /** `finetune_chatmodel_demo/scripts/finetune_pt.sh`: pairs of prompt and response. */
  ptuning: {
    data: { format: 'input-output', maxSourceLength: 1024, maxTargetLength: 128 },
    training: {
      ...COMMON,
      learningRate: 2e-2,
      batchSize: 1,
      accumulationSteps: 32,
      maxSteps: 1000,
      logInterval: 1,
    },
  },
  /** `finetune_chatmodel_demo/scripts/finetune_pt_multiturn.sh`: conversations, with calls of tools. */
  'ptuning-multiturn': {
    data: { format: 'multi-turn', maxLength: 2048 },
    training: {
      ...COMMON,
      learningRate: 2e-2,
      batchSize: 1,
      accumulationSteps: 16,
      maxSteps: 1000,
      logInterval: 1,
    },
  },
  /** `finetune_demo/configs/ptuning_v2.yaml`: conversations of 256 tokens in and 512 out. */
  'ptuning-v2': {
    data: { format: 'multi-turn', maxLength: 256 + 512 + 1 },
    training: {
      ...COMMON,
      learningRate: 5e-5,
      batchSize: 4,
      accumulationSteps: 1,
      maxSteps: 3000,
      logInterval: 10,
    },
  },
} as const satisfies Record<string, Preset>

/** `finetune_demo/configs/sft.yaml`, the official training of all weights: conversations of 256 tokens in and 512 out. */
export const SFT: ModelPreset = {
  data: { format: 'multi-turn', maxLength: 256 + 512 + 1 },
  training: {
    ...OPTIMIZATION,
    learningRate: 5e-5,
    batchSize: 4,
    accumulationSteps: 1,
    maxSteps: 3000,
    logInterval: 10,
  },
}

/** Settings of a training of LoRA that belong together. */
export interface LoraPreset {
  readonly data: DataSettings
  readonly training: LoraSettings
}

/**
 * `finetune_demo/configs/lora.yaml`, the official training of LoRA: conversations of 256 tokens in and 512 out. It names no
 * modules; PEFT's for ChatGLM are `query_key_value`.
 */
export const LORA: LoraPreset = {
  data: { format: 'multi-turn', maxLength: 256 + 512 + 1 },
  training: {
    ...OPTIMIZATION,
    rank: 8,
    alpha: 32,
    rslora: false,
    dropout: 0.1,
    targetModules: ['query_key_value'],
    learningRate: 5e-5,
    batchSize: 4,
    accumulationSteps: 1,
    maxSteps: 3000,
    logInterval: 10,
  },
}

export type PresetName = keyof typeof PRESETS
