import { CheckpointError } from '../../../errors/index.js'
import { ProtobufReader, WireType } from '../../../protobuf/index.js'
import { normalizePath } from '../../paths.js'
import type { ExternalPlace } from './graph-writer.js'
import { ELEMENT, type ElementName, EXTERNAL, FIELD } from './schema.js'

/** An input or an output of a graph. */
export interface OnnxValue {
  /** Undefined for types that graphs of language models do not have. */
  readonly element: ElementName | undefined
  /** A number, the name of a dimension that varies, or undefined where the graph says nothing. */
  readonly dimensions: readonly (number | string | undefined)[]
}

/** A constant of a graph. */
export interface OnnxTensor {
  readonly element: ElementName | undefined
  readonly shape: readonly number[]
  /** Its bytes, where they lie in the graph's own file as such. */
  readonly raw: Uint8Array | undefined
  /** Where its bytes lie otherwise; without a length they go on to the end of the file. */
  readonly place:
    | (Omit<ExternalPlace, 'byteLength'> & { readonly byteLength: number | undefined })
    | undefined
}

export interface OnnxNode {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Attributes that are numbers. */
  readonly attributes: ReadonlyMap<string, number>
}

/** What a `.onnx` file says of its graph. */
export interface OnnxGraph {
  readonly inputs: ReadonlyMap<string, OnnxValue>
  readonly outputs: ReadonlyMap<string, OnnxValue>
  readonly tensors: ReadonlyMap<string, OnnxTensor>
  readonly nodes: readonly OnnxNode[]
}

/**
 * Reads a `.onnx` file without the bytes of its tensors.
 * @param file the file's name, for messages
 * @throws `checkpoint.corrupt` where it is malformed, `checkpoint.unsafe-path` where tensors would lie outside the folder
 */
export function readOnnxGraph(bytes: Uint8Array, file: string): OnnxGraph {
  const reader = new ProtobufReader(bytes, (expected, found) =>
    corrupt(file, `expected ${expected}, found ${found}`),
  )
  let graph: OnnxGraph | undefined
  eachField(reader, (field, wireType) => {
    if (field !== FIELD.model.graph) return false
    graph = readGraph(reader.message(wireType), file)
    return true
  })
  if (!graph) throw corrupt(file, 'it has no graph')
  return graph
}

function corrupt(file: string, problem: string): CheckpointError {
  return new CheckpointError(
    'checkpoint.corrupt',
    `${file} is not a valid ONNX file: ${problem}. Download or export it again.`,
  )
}

/** Calls `read` for each field; what it does not take is skipped. */
function eachField(reader: ProtobufReader, read: (field: number, wireType: number) => boolean): void {
  for (let next = reader.nextField(); next; next = reader.nextField()) {
    if (!read(next.field, next.wireType)) reader.skip(next.wireType)
  }
}

function readGraph(reader: ProtobufReader, file: string): OnnxGraph {
  const inputs = new Map<string, OnnxValue>()
  const outputs = new Map<string, OnnxValue>()
  const tensors = new Map<string, OnnxTensor>()
  const nodes: OnnxNode[] = []
  eachField(reader, (field, wireType) => {
    if (field === FIELD.graph.node) nodes.push(readNode(reader.message(wireType)))
    else if (field === FIELD.graph.initializer) {
      const [name, tensor] = readTensor(reader.message(wireType), file)
      tensors.set(name, tensor)
    } else if (field === FIELD.graph.input || field === FIELD.graph.output) {
      const [name, value] = readValue(reader.message(wireType))
      ;(field === FIELD.graph.input ? inputs : outputs).set(name, value)
    } else return false
    return true
  })
  return { inputs, outputs, tensors, nodes }
}

function readNode(reader: ProtobufReader): OnnxNode {
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, number>()
  let operator = ''
  eachField(reader, (field, wireType) => {
    if (field === FIELD.node.input) inputs.push(reader.string(wireType))
    else if (field === FIELD.node.output) outputs.push(reader.string(wireType))
    else if (field === FIELD.node.opType) operator = reader.string(wireType)
    else if (field === FIELD.node.attribute) {
      const [name, value] = readAttribute(reader.message(wireType))
      if (value !== undefined) attributes.set(name, value)
    } else return false
    return true
  })
  return { operator, inputs, outputs, attributes }
}

function readAttribute(reader: ProtobufReader): [string, number | undefined] {
  let name = ''
  let value: number | undefined
  eachField(reader, (field, wireType) => {
    if (field === FIELD.attribute.name) name = reader.string(wireType)
    else if (field === FIELD.attribute.float) value = reader.float(wireType)
    else if (field === FIELD.attribute.int) value = reader.int64(wireType)
    else return false
    return true
  })
  return [name, value]
}

function elementName(number: number): ElementName | undefined {
  return (Object.keys(ELEMENT) as ElementName[]).find((name) => ELEMENT[name] === number)
}

function readTensor(reader: ProtobufReader, file: string): [string, OnnxTensor] {
  let name = ''
  let element: ElementName | undefined
  let raw: Uint8Array | undefined
  let isExternal = false
  const shape: number[] = []
  const entries = new Map<string, string>()
  eachField(reader, (field, wireType) => {
    if (field === FIELD.tensor.name) name = reader.string(wireType)
    else if (field === FIELD.tensor.dataType) element = elementName(reader.int32(wireType))
    else if (field === FIELD.tensor.dims) for (const size of reader.int64s(wireType)) shape.push(size)
    else if (field === FIELD.tensor.rawData && wireType === WireType.bytes) raw = reader.bytes(wireType)
    else if (field === FIELD.tensor.externalData) {
      const [key, value] = readEntry(reader.message(wireType))
      entries.set(key, value)
    } else if (field === FIELD.tensor.dataLocation) isExternal = reader.int32(wireType) === EXTERNAL
    else return false
    return true
  })
  if (shape.some((size) => size < 0))
    throw corrupt(file, `tensor ${name.slice(0, 200)} has the shape [${shape.slice(0, 8)}]`)
  return [name, { element, shape, raw, place: isExternal ? placeOf(entries, name, file) : undefined }]
}

function readEntry(reader: ProtobufReader): [string, string] {
  let key = ''
  let value = ''
  eachField(reader, (field, wireType) => {
    if (field === FIELD.entry.key) key = reader.string(wireType)
    else if (field === FIELD.entry.value) value = reader.string(wireType)
    else return false
    return true
  })
  return [key, value]
}

function placeOf(entries: ReadonlyMap<string, string>, name: string, file: string): OnnxTensor['place'] {
  const location = entries.get('location')
  const number = (key: string) => {
    const text = entries.get(key)
    if (text === undefined) return undefined
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
    throw corrupt(file, `the ${key} of tensor ${name.slice(0, 200)} is ${JSON.stringify(text.slice(0, 60))}`)
  }
  if (!location) throw corrupt(file, `tensor ${name.slice(0, 200)} lies in a file without a name`)
  return { file: normalizePath(location), offset: number('offset') ?? 0, byteLength: number('length') }
}

function readValue(reader: ProtobufReader): [string, OnnxValue] {
  let name = ''
  let value: OnnxValue = { element: undefined, dimensions: [] }
  eachField(reader, (field, wireType) => {
    if (field === FIELD.value.name) name = reader.string(wireType)
    else if (field === FIELD.value.type) value = readType(reader.message(wireType)) ?? value
    else return false
    return true
  })
  return [name, value]
}

function readType(reader: ProtobufReader): OnnxValue | undefined {
  let value: OnnxValue | undefined
  eachField(reader, (field, wireType) => {
    if (field !== FIELD.type.tensorType) return false
    value = readTensorType(reader.message(wireType))
    return true
  })
  return value
}

function readTensorType(reader: ProtobufReader): OnnxValue {
  let element: ElementName | undefined
  const dimensions: (number | string | undefined)[] = []
  eachField(reader, (field, wireType) => {
    if (field === FIELD.tensorType.elementType) element = elementName(reader.int32(wireType))
    else if (field === FIELD.tensorType.shape) {
      const shape = reader.message(wireType)
      eachField(shape, (inner, innerType) => {
        if (inner !== FIELD.shape.dimension) return false
        dimensions.push(readDimension(shape.message(innerType)))
        return true
      })
    } else return false
    return true
  })
  return { element, dimensions }
}

function readDimension(reader: ProtobufReader): number | string | undefined {
  let dimension: number | string | undefined
  eachField(reader, (field, wireType) => {
    if (field === FIELD.dimension.value) dimension = reader.int64(wireType)
    else if (field === FIELD.dimension.parameter) dimension = reader.string(wireType)
    else return false
    return true
  })
  return dimension
}
