import protobuf from 'protobufjs'

/** Element types of `TensorProto.DataType`. */
export const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const

/** The messages of onnx.proto (https://github.com/onnx/onnx, IR version 8) that a graph of an inference needs. */
const SCHEMA = {
  nested: {
    ModelProto: {
      fields: {
        irVersion: { id: 1, type: 'int64' },
        producerName: { id: 2, type: 'string' },
        graph: { id: 7, type: 'GraphProto' },
        opsetImport: { id: 8, type: 'OperatorSetIdProto', rule: 'repeated' },
      },
    },
    OperatorSetIdProto: { fields: { domain: { id: 1, type: 'string' }, version: { id: 2, type: 'int64' } } },
    GraphProto: {
      fields: {
        node: { id: 1, type: 'NodeProto', rule: 'repeated' },
        name: { id: 2, type: 'string' },
        initializer: { id: 5, type: 'TensorProto', rule: 'repeated' },
        input: { id: 11, type: 'ValueInfoProto', rule: 'repeated' },
        output: { id: 12, type: 'ValueInfoProto', rule: 'repeated' },
      },
    },
    NodeProto: {
      fields: {
        input: { id: 1, type: 'string', rule: 'repeated' },
        output: { id: 2, type: 'string', rule: 'repeated' },
        name: { id: 3, type: 'string' },
        opType: { id: 4, type: 'string' },
        attribute: { id: 5, type: 'AttributeProto', rule: 'repeated' },
        domain: { id: 7, type: 'string' },
      },
    },
    AttributeProto: {
      fields: {
        name: { id: 1, type: 'string' },
        f: { id: 2, type: 'float' },
        i: { id: 3, type: 'int64' },
        type: { id: 20, type: 'int32' },
      },
    },
    TensorProto: {
      fields: {
        dims: { id: 1, type: 'int64', rule: 'repeated' },
        dataType: { id: 2, type: 'int32' },
        name: { id: 8, type: 'string' },
        rawData: { id: 9, type: 'bytes' },
        externalData: { id: 13, type: 'StringStringEntryProto', rule: 'repeated' },
        dataLocation: { id: 14, type: 'int32' },
      },
    },
    StringStringEntryProto: { fields: { key: { id: 1, type: 'string' }, value: { id: 2, type: 'string' } } },
    ValueInfoProto: { fields: { name: { id: 1, type: 'string' }, type: { id: 2, type: 'TypeProto' } } },
    TypeProto: { fields: { tensorType: { id: 1, type: 'TensorTypeProto' } } },
    TensorTypeProto: {
      fields: { elemType: { id: 1, type: 'int32' }, shape: { id: 2, type: 'TensorShapeProto' } },
    },
    TensorShapeProto: { fields: { dim: { id: 1, type: 'DimensionProto', rule: 'repeated' } } },
    DimensionProto: { fields: { dimValue: { id: 1, type: 'int64' }, dimParam: { id: 2, type: 'string' } } },
  },
}

const MODEL = protobuf.Root.fromJSON(SCHEMA).lookupType('ModelProto')
const ATTRIBUTE_FLOAT = 1
const ATTRIBUTE_INT = 2
const EXTERNAL = 1
const IR_VERSION = 8
const OPSETS = [
  { domain: '', version: 18 },
  { domain: 'com.microsoft', version: 1 },
]
export const MICROSOFT = 'com.microsoft'

type ElementType = (typeof ELEMENT)[keyof typeof ELEMENT]
/** A number, or the name of a dimension that varies. */
export type Dimension = number | string

/** An attribute of a node: an integer, or `{ float }`. */
export type Attribute = number | { readonly float: number }

/** Builds an ONNX graph node by node. */
export class GraphBuilder {
  readonly #nodes: object[] = []
  readonly #initializers: object[] = []
  readonly #inputs: object[] = []
  readonly #outputs: object[] = []

  #value(name: string, elemType: ElementType, dimensions: readonly Dimension[]): object {
    const dim = dimensions.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
    return { name, type: { tensorType: { elemType, shape: { dim } } } }
  }

  input(name: string, type: ElementType, dimensions: readonly Dimension[]): string {
    this.#inputs.push(this.#value(name, type, dimensions))
    return name
  }

  output(name: string, type: ElementType, dimensions: readonly Dimension[]): void {
    this.#outputs.push(this.#value(name, type, dimensions))
  }

  /** A constant that is part of the graph's own file. */
  constant(name: string, dataType: ElementType, dims: readonly number[], rawData: Uint8Array): string {
    this.#initializers.push({ name, dataType, dims, rawData })
    return name
  }

  /** A constant in another file of the same folder. Several may lie in the same bytes. */
  external(
    name: string,
    dataType: ElementType,
    dims: readonly number[],
    file: string,
    byteLength: number,
  ): string {
    const externalData = Object.entries({ location: file, offset: '0', length: String(byteLength) }).map(
      ([key, value]) => ({ key, value }),
    )
    this.#initializers.push({ name, dataType, dims, dataLocation: EXTERNAL, externalData })
    return name
  }

  /** @param domain '' for the standard's own operators */
  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string {
    const attribute = Object.entries(attributes).map(([name, value]) =>
      typeof value === 'number'
        ? { name, type: ATTRIBUTE_INT, i: value }
        : { name, type: ATTRIBUTE_FLOAT, f: value.float },
    )
    this.#nodes.push({ name: outputs[0], opType, input: inputs, output: outputs, attribute, domain })
    return outputs[0]
  }

  /** The bytes of the `.onnx` file. */
  encode(name: string): Uint8Array {
    const graph = {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    }
    const model = { irVersion: IR_VERSION, producerName: 'chatglm-webgpu', graph, opsetImport: OPSETS }
    return MODEL.encode(MODEL.fromObject(model)).finish()
  }
}
