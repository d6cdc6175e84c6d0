import {
  ChatGLMError,
  type DeviceChoice,
  hasCode,
  loadModel,
  type Message,
  type Model,
  requestAdapter,
} from 'chatglm-webgpu'

export async function ask(messages: readonly Message[], device: DeviceChoice): Promise<string> {
  const model: Model = await loadModel('tiny', {
    device: device === 'auto' ? await requestAdapter() : device,
    maxSequences: 2,
    onProgress: ({ stage, doneBytes }) => console.log(stage, doneBytes),
  })
  try {
    const { messages: answer } = await model.chat(messages, { maxTokens: 5, seed: 1 }).result()
    const logits: Float32Array = await model.logits([1, 2])
    return `${answer[0]?.content}, ${logits[0]}`
  } catch (error) {
    if (hasCode(error, 'busy.waiting')) return 'later'
    if (error instanceof ChatGLMError) return error.code
    throw error
  } finally {
    model.dispose()
  }
}

// @ts-expect-error There is no such choice, and none is hidden by types that a program lacks.
export const wrong: DeviceChoice = 'lowpower'
// @ts-expect-error A number is no place of a model.
export const wrongToo = loadModel(1)
