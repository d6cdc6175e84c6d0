import type { OnnxRuntime } from '../runtime.js'

/** A variable to bundlers of servers: the packages are optional. */
const load = (name: string) => import(/* @vite-ignore */ /* webpackIgnore: true */ name)

/** The native runtime where it is installed, else the one of browsers, which Node runs in WebAssembly. */
export async function nodeRuntime(): Promise<{ runtime: OnnxRuntime; isNative: boolean }> {
  try {
    const { default: native } = await load('onnxruntime-node')
    return { runtime: native as OnnxRuntime, isNative: true }
  } catch {
    return { runtime: (await load('onnxruntime-web')) as OnnxRuntime, isNative: false }
  }
}
