import { ProtobufWriter } from '../../../protobuf/index.js'
import type { DType } from '../dtype.js'
import type { TensorDeclaration } from '../tensor-file.js'
import { ATTRIBUTE_TYPE, ELEMENT, type ElementName, EXTERNAL, FIELD, MICROSOFT } from './schema.js'

const IR_VERSION = 10
/** The standard's operators, and those of ONNX Runtime. */
const OPSETS = [
  { domain: '', version: 21 },
  { domain: MICROSOFT, version: 1 },
]

const ELEMENT_OF: Partial<Record<DType, ElementName>> = {
  F32: 'float32',
  F16: 'float16',
  U8: 'uint8',
  I32: 'int32',
  I64: 'int64',
}

/** A number, or the name of a dimension that varies. */
export type OnnxDimension = number | string

/** An attribute of a node: an integer, or `{ float }`. */
export type OnnxAttribute = number | { readonly float: number }

/** Where the bytes of a tensor lie. */
export interface ExternalPlace {
  /** A file beside the graph's. */
  readonly file: string
  readonly offset: number
  readonly byteLength: number
}

/** Builds an ONNX graph (https://onnx.ai/onnx/repo-docs/IR.html) node by node. */
export class OnnxGraphWriter {
  /** The tensors that lie in files of their own, in the order in which they were named. */
  readonly tensors: TensorDeclaration[] = []
  readonly #nodes: ProtobufWriter[] = []
  readonly #constants: ProtobufWriter[] = []
  readonly #inputs: ProtobufWriter[] = []
  readonly #outputs: ProtobufWriter[] = []

  /** Declares what a caller of the graph gives. @returns its name */
  input(name: string, element: ElementName, dimensions: readonly OnnxDimension[]): string {
    this.#inputs.push(valueInfo(name, element, dimensions))
    return name
  }

  /** Declares a value that the graph gives back. */
  output(name: string, element: ElementName, dimensions: readonly OnnxDimension[]): void {
    this.#outputs.push(valueInfo(name, element, dimensions))
  }

  /** A small constant of whole numbers, in the graph itself. @returns its name */
  integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    this.#constants.push(tensor(name, 'int64', dims).bytes(FIELD.tensor.rawData, raw))
    return name
  }

  /** A constant number of f32, in the graph itself. @returns its name */
  number(name: string, value: number): string {
    const raw = new Uint8Array(Float32Array.of(value).buffer)
    this.#constants.push(tensor(name, 'float32', []).bytes(FIELD.tensor.rawData, raw))
    return name
  }

  /** A tensor of a file beside the graph. @returns its name */
  external(name: string, dtype: 'F16' | 'F32' | 'U8', shape: readonly number[]): string {
    this.tensors.push({ name, dtype, shape })
    return name
  }

  /**
   * Adds a node, named after its first output.
   * @param inputs names; '' for one that is left out
   * @param outputs names; '' for one that nobody wants
   * @param domain '' for the standard's own operators
   * @returns the name of its first output
   */
  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain: '' | typeof MICROSOFT = '',
  ): string {
    const node = new ProtobufWriter()
    for (const input of inputs) node.string(FIELD.node.input, input)
    for (const output of outputs) node.string(FIELD.node.output, output)
    node.string(FIELD.node.name, outputs[0]).string(FIELD.node.opType, operator)
    for (const [name, value] of Object.entries(attributes)) {
      node.message(FIELD.node.attribute, attribute(name, value))
    }
    if (domain) node.string(FIELD.node.domain, domain)
    this.#nodes.push(node)
    return outputs[0]
  }

  /**
   * The bytes of the `.onnx` file.
   * @param placeOf where each of `tensors` lies
   */
  encode(name: string, placeOf: (tensor: TensorDeclaration) => ExternalPlace): Uint8Array {
    const graph = new ProtobufWriter()
    for (const node of this.#nodes) graph.message(FIELD.graph.node, node)
    graph.string(FIELD.graph.name, name)
    for (const constant of this.#constants) graph.message(FIELD.graph.initializer, constant)
    for (const declaration of this.tensors) {
      graph.message(FIELD.graph.initializer, externalTensor(declaration, placeOf(declaration)))
    }
    for (const input of this.#inputs) graph.message(FIELD.graph.input, input)
    for (const output of this.#outputs) graph.message(FIELD.graph.output, output)
    const model = new ProtobufWriter()
      .varint(FIELD.model.irVersion, IR_VERSION)
      .string(FIELD.model.producerName, 'chatglm-webgpu')
      .message(FIELD.model.graph, graph)
    for (const { domain, version } of OPSETS) {
      const opset = new ProtobufWriter()
        .string(FIELD.opset.domain, domain)
        .varint(FIELD.opset.version, version)
      model.message(FIELD.model.opsetImport, opset)
    }
    return model.finish()
  }
}

function tensor(name: string, element: ElementName, dims: readonly number[]): ProtobufWriter {
  const message = new ProtobufWriter()
  for (const size of dims) message.varint(FIELD.tensor.dims, size)
  return message.varint(FIELD.tensor.dataType, ELEMENT[element]).string(FIELD.tensor.name, name)
}

function externalTensor({ name, dtype, shape }: TensorDeclaration, place: ExternalPlace): ProtobufWriter {
  const element = ELEMENT_OF[dtype]
  if (!element) throw new TypeError(`${name}: ONNX graphs of this writer have no ${dtype}`)
  const message = tensor(name, element, shape)
  const entries = { location: place.file, offset: String(place.offset), length: String(place.byteLength) }
  for (const [key, value] of Object.entries(entries)) {
    const entry = new ProtobufWriter().string(FIELD.entry.key, key).string(FIELD.entry.value, value)
    message.message(FIELD.tensor.externalData, entry)
  }
  return message.varint(FIELD.tensor.dataLocation, EXTERNAL)
}

function attribute(name: string, value: OnnxAttribute): ProtobufWriter {
  const message = new ProtobufWriter().string(FIELD.attribute.name, name)
  return typeof value === 'number'
    ? message.varint(FIELD.attribute.int, value).varint(FIELD.attribute.type, ATTRIBUTE_TYPE.int)
    : message.float(FIELD.attribute.float, value.float).varint(FIELD.attribute.type, ATTRIBUTE_TYPE.float)
}

function valueInfo(name: string, element: ElementName, dimensions: readonly OnnxDimension[]): ProtobufWriter {
  const shape = new ProtobufWriter()
  for (const size of dimensions) {
    const dimension = new ProtobufWriter()
    if (typeof size === 'number') dimension.varint(FIELD.dimension.value, size)
    else dimension.string(FIELD.dimension.parameter, size)
    shape.message(FIELD.shape.dimension, dimension)
  }
  const type = new ProtobufWriter()
    .varint(FIELD.tensorType.elementType, ELEMENT[element])
    .message(FIELD.tensorType.shape, shape)
  return new ProtobufWriter()
    .string(FIELD.value.name, name)
    .message(FIELD.value.type, new ProtobufWriter().message(FIELD.type.tensorType, type))
}
