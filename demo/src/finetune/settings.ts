import { computed, signal } from '@preact/signals'
import {
  type DataSettings,
  PRESETS,
  type Preset,
  type PresetName,
  type TrainingSettings,
} from '../../../src/finetune.js'

export type PresetChoice = 'trial' | PresetName
export type DataFormat = DataSettings['format']

/** Minutes on the small model without a GPU: the values of `examples/finetune_pt.yaml`. */
const TRIAL: TrainingSettings = {
  ...PRESETS.ptuning.training,
  prefixLength: 16,
  learningRate: 0.1,
  batchSize: 2,
  accumulationSteps: 1,
  maxSteps: 100,
  saveInterval: 20,
  dropout: 0,
}
const TRIAL_DATA: Readonly<Record<DataFormat, DataSettings>> = {
  'input-output': { format: 'input-output', maxSourceLength: 32, maxTargetLength: 32 },
  'multi-turn': { format: 'multi-turn', maxLength: 128 },
}

/** The values of a preset; the trial takes data of both formats. */
export function valuesOf(choice: PresetChoice, format: DataFormat): Preset {
  return choice === 'trial' ? { data: TRIAL_DATA[format], training: TRIAL } : PRESETS[choice]
}

export const PRESET_CHOICES: readonly PresetChoice[] = ['trial', 'ptuning', 'ptuning-multiturn', 'ptuning-v2']

export const preset = signal<PresetChoice>('trial')
export const dataSettings = signal<DataSettings>(valuesOf('trial', 'input-output').data)
export const trainingSettings = signal<TrainingSettings>(TRIAL)

/** Names of fields that hold no usable number; nothing is trained with such. */
export const wrongFields = signal<ReadonlySet<string>>(new Set())
export const isUsable = computed(() => wrongFields.value.size === 0)

export function choosePreset(choice: PresetChoice): void {
  const { data, training } = valuesOf(choice, dataSettings.value.format)
  preset.value = choice
  dataSettings.value = data
  trainingSettings.value = training
  wrongFields.value = new Set()
}

/** Takes the preset that data of a format need, where the chosen one is for others. */
export function fitFormat(format: DataFormat): void {
  if (dataSettings.value.format === format) return
  if (preset.value === 'trial') dataSettings.value = TRIAL_DATA[format]
  else choosePreset(format === 'multi-turn' ? 'ptuning-multiturn' : 'ptuning')
}

export function changeTraining(changes: Partial<TrainingSettings>): void {
  trainingSettings.value = { ...trainingSettings.value, ...changes }
}

export function changeData(changes: Readonly<Record<string, number>>): void {
  dataSettings.value = { ...dataSettings.value, ...changes } as DataSettings
}

export function noteField(name: string, isWrong: boolean): void {
  if (wrongFields.value.has(name) === isWrong) return
  const names = new Set(wrongFields.value)
  if (isWrong) names.add(name)
  else names.delete(name)
  wrongFields.value = names
}
