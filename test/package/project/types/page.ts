import { loadModelInWorker, ModelStore } from 'chatglm-webgpu/browser'

export async function start(folder: FileSystemDirectoryHandle): Promise<number> {
  const model = await loadModelInWorker(folder)
  const items = await (await ModelStore.open()).list()
  return items.length + (await model.generate('x', { maxTokens: 1 }).result()).ids.length
}
