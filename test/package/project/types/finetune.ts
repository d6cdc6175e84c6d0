import { loadModel } from 'chatglm-webgpu'
import { finetunePrefix, PRESETS, readDataset } from 'chatglm-webgpu/finetune'

export async function train(): Promise<number> {
  const model = await loadModel('tiny')
  const { data, training } = PRESETS.ptuning
  const dataset = await readDataset('train.jsonl', model.tokenizer, data)
  const { prefix } = await finetunePrefix(model, dataset, { ...training, output: 'out' })
  return prefix.length
}
