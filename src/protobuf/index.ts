export { type ProtobufFailure, ProtobufReader, WireType } from './reader.js'
export { ProtobufWriter } from './writer.js'
