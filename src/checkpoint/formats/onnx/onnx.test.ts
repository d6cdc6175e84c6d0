import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { ChatGLMError } from '../../../errors/index.js'
import { OnnxGraphWriter } from './graph-writer.js'
import { readOnnxGraph } from './read-graph.js'
import { MICROSOFT } from './schema.js'

/** The messages of onnx.proto that the oracle reads. */
const PROTO = `
syntax = "proto3";
message ModelProto { int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message GraphProto { repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5; repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; }
message NodeProto { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated AttributeProto attribute = 5; string domain = 7; }
message AttributeProto { string name = 1; float f = 2; int64 i = 3; int32 type = 20; }
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; repeated StringStringEntryProto external_data = 13; int32 data_location = 14; }
message StringStringEntryProto { string key = 1; string value = 2; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message TypeProto { TensorTypeProto tensor_type = 1; }
message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TensorShapeProto { repeated DimensionProto dim = 1; }
message DimensionProto { int64 dim_value = 1; string dim_param = 2; }
`
const ModelProto = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('ModelProto')

function smallGraph(): Uint8Array {
  const graph = new OnnxGraphWriter()
  graph.input('x', 'float16', ['rows', 8])
  graph.output('y', 'float16', ['rows', 4])
  graph.external('weight', 'U8', [4, 1, 16])
  graph.external('scales', 'F16', [4])
  graph.integers('axes', [-1, 2 ** 40])
  graph.number('half', 0.5)
  graph.node(
    'MatMulNBits',
    ['x', 'weight', 'scales', ''],
    ['y'],
    { K: 8, axis: -1, scale: { float: 0.25 } },
    MICROSOFT,
  )
  return graph.encode('small', ({ name }) => ({
    file: 'model.onnx_data',
    offset: name === 'weight' ? 0 : 4096,
    byteLength: 64,
  }))
}

describe('an ONNX graph', () => {
  it('is written as Protocol Buffers has it, read by another library', () => {
    const model = ModelProto.toObject(ModelProto.decode(smallGraph()), { longs: Number, bytes: Array })
    expect(model).toMatchObject({
      ir_version: 10,
      opset_import: [{ version: 21 }, { domain: 'com.microsoft', version: 1 }],
      graph: {
        name: 'small',
        node: [
          {
            op_type: 'MatMulNBits',
            domain: 'com.microsoft',
            input: ['x', 'weight', 'scales', ''],
            output: ['y'],
            attribute: [
              { name: 'K', i: 8, type: 2 },
              { name: 'axis', i: -1, type: 2 },
              { name: 'scale', f: 0.25, type: 1 },
            ],
          },
        ],
        input: [
          {
            name: 'x',
            type: {
              tensor_type: { elem_type: 10, shape: { dim: [{ dim_param: 'rows' }, { dim_value: 8 }] } },
            },
          },
        ],
        initializer: [
          { name: 'axes', dims: [2], data_type: 7 },
          { name: 'half', data_type: 1, raw_data: [0, 0, 0, 63] },
          {
            name: 'weight',
            dims: [4, 1, 16],
            data_type: 2,
            data_location: 1,
            external_data: [
              { key: 'location', value: 'model.onnx_data' },
              { key: 'offset', value: '0' },
              { key: 'length', value: '64' },
            ],
          },
          { name: 'scales', dims: [4], data_type: 10 },
        ],
      },
    })
  })

  it('reads what it wrote, and packed dimensions as other writers have them', () => {
    // The oracle packs repeated numbers; ours does not.
    const packed = ModelProto.encode(ModelProto.decode(smallGraph())).finish()
    for (const bytes of [smallGraph(), packed]) {
      const graph = readOnnxGraph(bytes, 'model.onnx')
      expect(graph.inputs.get('x')).toEqual({ element: 'float16', dimensions: ['rows', 8] })
      expect(graph.outputs.get('y')).toEqual({ element: 'float16', dimensions: ['rows', 4] })
      expect(graph.tensors.get('weight')).toEqual({
        element: 'uint8',
        shape: [4, 1, 16],
        raw: undefined,
        place: { file: 'model.onnx_data', offset: 0, byteLength: 64 },
      })
      expect(graph.tensors.get('half')).toMatchObject({ element: 'float32', shape: [] })
      expect(graph.nodes).toMatchObject([{ operator: 'MatMulNBits', outputs: ['y'] }])
      expect([...graph.nodes[0].attributes]).toEqual([
        ['K', 8],
        ['axis', -1],
        ['scale', 0.25],
      ])
    }
  })

  it.each([
    ['no file', { location: '' }, 'checkpoint.corrupt'],
    ['an offset that is no number', { location: 'a', offset: '-1' }, 'checkpoint.corrupt'],
    ['a path out of the folder', { location: '../weights' }, 'checkpoint.unsafe-path'],
  ])('refuses tensors with %s', (_, entries, code) => {
    const external_data = Object.entries(entries).map(([key, value]) => ({ key, value }))
    const graph = { initializer: [{ name: 'a', dims: [1], data_type: 1, data_location: 1, external_data }] }
    const bytes = ModelProto.encode(ModelProto.fromObject({ graph })).finish()
    expect(() => readOnnxGraph(bytes, 'model.onnx')).toThrowError(expect.objectContaining({ code }))
  })

  it('refuses a file without a graph, and of another kind', () => {
    expect(() => readOnnxGraph(new Uint8Array(0), 'model.onnx')).toThrow('it has no graph')
    expect(() => readOnnxGraph(new TextEncoder().encode('<!doctype html>'), 'model.onnx')).toThrow(
      'model.onnx is not',
    )
  })

  it('ends in a graph or an error of this library, whatever bytes it is given', () => {
    const original = smallGraph()
    const position = fc.nat({ max: original.length - 1 })
    const edits = fc.array(fc.tuple(position, fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(edits, fc.option(position), (changes, cut) => {
        const bytes = original.slice(0, cut ?? undefined)
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        try {
          readOnnxGraph(bytes, 'model.onnx')
        } catch (error) {
          if (!(error instanceof ChatGLMError)) throw error
        }
      }),
      { numRuns: 3000 },
    )
  })
})
