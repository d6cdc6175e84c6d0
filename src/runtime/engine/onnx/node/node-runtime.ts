import type { OnnxRuntime } from '../runtime.js'

/** The native runtime where it is installed, else the one of browsers, which Node runs in WebAssembly. */
export async function nodeRuntime(): Promise<{ runtime: OnnxRuntime; isNative: boolean }> {
  try {
    const { default: native } = await import('onnxruntime-node')
    return { runtime: native as OnnxRuntime, isNative: true }
  } catch {
    return { runtime: (await import('onnxruntime-web')) as OnnxRuntime, isNative: false }
  }
}
