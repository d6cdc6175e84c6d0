/**
 * What of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR version 10) a graph of an inference needs:
 * the numbers of its fields.
 */
export const FIELD = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, float: 2, int: 3, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  value: { name: 1, type: 2 },
  type: { tensorType: 1 },
  tensorType: { elementType: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPE = { float: 1, int: 2 } as const

/** `TensorProto.DataLocation` of a tensor in another file. */
export const EXTERNAL = 1

/** `TensorProto.DataType`, as far as graphs of language models have it. */
export const ELEMENT = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
} as const
export type ElementName = keyof typeof ELEMENT

/** Operators that are not of the standard but of ONNX Runtime. */
export const MICROSOFT = 'com.microsoft'
