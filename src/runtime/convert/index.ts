export { type ConvertOptions, convertCheckpoint } from './convert.js'
export { type ExportOnnxOptions, type ExportOnnxResult, exportOnnx } from './onnx/export-onnx.js'
export type { ConvertResult } from './run-conversion.js'
