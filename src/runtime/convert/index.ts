export { type ConvertOptions, convertCheckpoint } from './convert.js'
export { exportGguf } from './gguf/export-gguf.js'
export { exportOnnx, onnxBytes } from './onnx/export-onnx.js'
export type { ConvertResult } from './run-conversion.js'
