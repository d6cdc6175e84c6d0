import { loadModel } from 'chatglm-webgpu'
import { loadModelInWorker, ModelStore } from 'chatglm-webgpu/browser'

globalThis.start = async () => {
  const model = await loadModelInWorker('/tiny/', { activations: 'float' })
  return (await model.generate('你好', { maxTokens: 2, stopIds: [] }).result()).ids.length
}
globalThis.keep = async (name) =>
  (await (await ModelStore.open()).download('/tiny/prefixes/poem/', { name, kind: 'prefix' })).complete
globalThis.other = loadModel
