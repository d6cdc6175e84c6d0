import * as onnxRuntime from 'onnxruntime-web'

export { onnxRuntime }
