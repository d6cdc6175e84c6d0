import { CheckpointError } from '../../errors/index.js'
import { type DType, dtypeBytes, tensorBytes } from './dtype.js'
import { isSize } from './json.js'
import { PickleGlobal, readPickle } from './pickle.js'

/** A storage: the record `data/KEY` of the archive, shared by any number of tensors. */
export interface TorchStorage {
  readonly key: string
  readonly byteLength: number
}

/** A contiguous tensor inside a storage. */
export interface TorchTensor {
  readonly storage: TorchStorage
  /** Where the tensor begins in its storage, in bytes. */
  readonly byteOffset: number
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly byteLength: number
}

/** The storage classes and dtypes of torch, by `module.name`; an untyped storage counts bytes. */
const STORAGE_DTYPES: ReadonlyMap<string, DType | 'untyped'> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
  ['torch.storage.UntypedStorage', 'untyped'],
  ['torch.UntypedStorage', 'untyped'],
])
const DTYPES: ReadonlyMap<string, DType> = new Map([
  ['torch.float64', 'F64'],
  ['torch.float32', 'F32'],
  ['torch.float16', 'F16'],
  ['torch.bfloat16', 'BF16'],
  ['torch.int64', 'I64'],
  ['torch.int32', 'I32'],
  ['torch.uint32', 'U32'],
  ['torch.int8', 'I8'],
  ['torch.uint8', 'U8'],
  ['torch.bool', 'BOOL'],
])

/** Torch has no tensor of more. */
const MAX_DIMENSIONS = 64
/** Torch numbers the storages. */
const MAX_KEY_LENGTH = 255

class Storage implements TorchStorage {
  constructor(
    readonly key: string,
    readonly dtype: DType | 'untyped',
    readonly byteLength: number,
  ) {}
}

class Tensor implements TorchTensor {
  constructor(
    readonly storage: Storage,
    readonly byteOffset: number,
    readonly dtype: DType,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
    readonly byteLength: number,
  ) {}
}

/**
 * Reads the pickle of a torch checkpoint: a dict from names to tensors, or a trainer's dict with such a dict in it.
 * Entries that are no tensors are left out.
 *
 * @param name what to call the pickle in messages
 * @throws `checkpoint.unsafe-pickle` for anything that tensors do not need
 * @throws `checkpoint.unsupported` for tensors that are not contiguous, and for a pickle without tensors
 * @throws `checkpoint.corrupt` for a malformed pickle and for numbers that contradict each other
 */
export function readStateDict(bytes: Uint8Array, name: string): ReadonlyMap<string, TorchTensor> {
  const dict = readPickle(bytes, {
    name,
    globals: globals(name),
    persistentLoad: (id) => loadStorage(id, name),
  })
  const tensors = tensorsOf(dict, name)
  for (const wrapper of WRAPPERS) {
    if (tensors.size > 0 || !(dict instanceof Map)) break
    for (const [key, tensor] of tensorsOf(dict.get(wrapper), name)) tensors.set(key, tensor)
  }
  if (tensors.size === 0) {
    throw new CheckpointError(
      'checkpoint.unsupported',
      `${name} holds no dict from names to tensors. Save the state dict itself: torch.save(model.state_dict(), path).`,
    )
  }
  return tensors
}

/** Where Lightning, DeepSpeed and others keep the state dict among what else they save. */
const WRAPPERS = ['state_dict', 'module', 'model', 'model_state_dict'] as const

/** The tensors of a dict, by their names; none where it is no dict. */
function tensorsOf(dict: unknown, name: string): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>()
  for (const [key, value] of dict instanceof Map ? dict : []) {
    if (typeof key !== 'string' || !(value instanceof Tensor)) continue
    if (!isContiguous(value.shape, value.stride)) {
      throw new CheckpointError(
        'checkpoint.unsupported',
        `Tensor ${JSON.stringify(key.slice(0, 200))} in ${name} has the shape [${value.shape.slice(0, 8)}] and the ` +
          `strides [${value.stride.slice(0, 8)}], so it is not contiguous. Call .contiguous() on it before torch.save.`,
      )
    }
    tensors.set(key, value)
  }
  return tensors
}

function globals(name: string): ReadonlyMap<string, PickleGlobal> {
  const list = [
    new PickleGlobal('collections.OrderedDict', (args) => {
      if (args.length !== 0)
        throw new CheckpointError('checkpoint.corrupt', `${name} makes an OrderedDict with arguments.`)
      return new Map()
    }),
    new PickleGlobal('torch.Size', ([sizes]) => (Array.isArray(sizes) ? sizes : [])),
    new PickleGlobal('torch._utils._rebuild_tensor', (args) => rebuildTensor(args, name)),
    // (storage, offset, size, stride, requires_grad, backward_hooks, metadata?)
    new PickleGlobal('torch._utils._rebuild_tensor_v2', (args) => {
      refuseMetadata(args[6], name)
      return rebuildTensor(args, name)
    }),
    // The same with the dtype before metadata, for dtypes that have no storage class of their own.
    new PickleGlobal('torch._utils._rebuild_tensor_v3', (args) => {
      refuseMetadata(args[7], name)
      return rebuildTensor(args, name, args[6])
    }),
    // (data, requires_grad, backward_hooks)
    new PickleGlobal('torch._utils._rebuild_parameter', ([tensor]) => {
      if (!(tensor instanceof Tensor))
        throw new CheckpointError('checkpoint.corrupt', `${name} has a parameter without a tensor.`)
      return tensor
    }),
    ...[...STORAGE_DTYPES.keys(), ...DTYPES.keys()].map((path) => new PickleGlobal(path)),
  ]
  return new Map(list.map((entry) => [entry.name, entry]))
}

/** `("storage", class, key, location, number of elements)`, as `torch/serialization.py` writes it. */
function loadStorage(id: unknown, name: string): Storage {
  if (Array.isArray(id) && id.length === 5 && id[0] === 'storage') {
    const [, type, key, , count] = id as unknown[]
    const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES.get(type.name) : undefined
    if (dtype !== undefined && typeof key === 'string' && key.length <= MAX_KEY_LENGTH && isSize(count)) {
      const byteLength = count * (dtype === 'untyped' ? 1 : dtypeBytes(dtype))
      if (Number.isSafeInteger(byteLength)) return new Storage(key, dtype, byteLength)
    }
  }
  throw new CheckpointError('checkpoint.corrupt', `${name} refers to a storage in a way torch does not.`)
}

function rebuildTensor(args: readonly unknown[], name: string, dtypeGlobal?: unknown): Tensor {
  const [storage, offset, shape, stride] = args
  const named = dtypeGlobal instanceof PickleGlobal ? DTYPES.get(dtypeGlobal.name) : undefined
  if (!(storage instanceof Storage))
    throw new CheckpointError('checkpoint.corrupt', `${name} has a tensor without a storage.`)
  const dtype = named ?? storage.dtype
  if (
    !isSize(offset) ||
    !isSizes(shape) ||
    !isSizes(stride) ||
    shape.length !== stride.length ||
    dtype === 'untyped'
  ) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${name} has a tensor whose offset, shape, strides or dtype are none.`,
    )
  }
  const byteLength = tensorBytes(dtype, shape)
  const byteOffset = offset * dtypeBytes(dtype)
  if (byteLength === undefined || byteOffset + byteLength > storage.byteLength) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${name} has a tensor of shape [${shape.slice(0, 8)}] at element ${offset}, ` +
        `beyond its storage of ${storage.byteLength} bytes.`,
    )
  }
  return new Tensor(storage, byteOffset, dtype, shape, stride, byteLength)
}

/** Of the length that a shape can have: a pickle may give one list to all its tensors. */
function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isSize)
}

/** Whether elements lie in row-major order without gaps. The stride of a dimension of one element is free. */
function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  if (shape.includes(0)) return true
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}

/** The metadata of a tensor marks it as conjugated or negated, which its bytes do not show. */
function refuseMetadata(metadata: unknown, name: string): void {
  if (metadata instanceof Map && metadata.size > 0) {
    throw new CheckpointError(
      'checkpoint.unsupported',
      `${name} has a lazily conjugated or negated tensor. Save it resolved.`,
    )
  }
}
