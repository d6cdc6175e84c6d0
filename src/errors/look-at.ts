import { ChatGLMError } from './chatglm-error.js'

/**
 * Looks at a value that a caller made: a getter, a proxy or a conversion of theirs may throw anything.
 * @param refuse the error of this project to throw then
 */
export function lookAt<T>(refuse: (cause: unknown) => ChatGLMError, look: () => T): T {
  try {
    return look()
  } catch (error) {
    throw error instanceof ChatGLMError ? error : refuse(error)
  }
}
