import { expect, it } from 'vitest'
import { readStateDict } from './torch-pickle.js'

const NAME = 'transformer.prefix_encoder.embedding.weight'

/** BINUNICODE */
function text(value: string): string {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(value.length)
  return `X${length.toString('latin1')}${value}`
}

/** A tensor [2, 2] of float32, as torch pickles it. */
const TENSOR = [
  'ctorch._utils\n_rebuild_tensor_v2\n(',
  `(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x04tQ`,
  'K\0K\x02K\x02\x86K\x02K\x01\x86\x89ccollections\nOrderedDict\n)RtR',
].join('')

const dict = (entries: Readonly<Record<string, string>>) =>
  `}(${Object.entries(entries)
    .map(([key, value]) => text(key) + value)
    .join('')}u`
const read = (value: string) => readStateDict(Buffer.from(`\x80\x02${value}.`, 'latin1'), 'the pickle')

it.each(['state_dict', 'module', 'model', 'model_state_dict'])(
  'a state dict is found one level down, where a trainer keeps it: %s',
  (wrapper) => {
    const tensors = read(dict({ [wrapper]: dict({ [NAME]: TENSOR }), epoch: 'K\x03' }))
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([[NAME, [2, 2]]])
  },
)

it('a state dict is read as it is where it has tensors itself', () => {
  expect([...read(dict({ a: TENSOR, model: dict({ b: TENSOR }) })).keys()]).toEqual(['a'])
})

it('a dict without tensors is refused, also one level down', () => {
  expect(() => read(dict({ model: dict({ epoch: 'K\x03' }), other: dict({ a: TENSOR }) }))).toThrow(
    expect.objectContaining({ code: 'checkpoint.unsupported' }),
  )
})
