import {
  canRunAttentionDecodeOnMatrices,
  compileAttention,
  compileAttentionCombine,
  compileAttentionDecode,
  compileCacheAppend,
  compileRoundActivations,
} from '../../../../kernels/index.js'
import { type BuildFusedAttention, canRunFusedDecode } from '../../webgpu/fused-decode.js'
import { rounding, unless, type VariantEntry, type VariantKind, type VariantSetting } from '../kind.js'

export type DecodeAttention = 'subgroup-matrix' | 'simple' | 'unsplit'

/** Over splits of the cache, which are put together afterwards. */
const split =
  (onMatrices: boolean): BuildFusedAttention =>
  async ({ gpu, config, cache }, layer, { rows, qkv, parts, statistics, splits, output }) => {
    const constants = { ...config, slotPages: cache.slotPages, splits }
    const [attend, combine] = await Promise.all([
      compileAttentionDecode(gpu, constants, { onMatrices }),
      compileAttentionCombine(gpu, constants, { output: 'halves' in output ? 'halves' : 'blocks' }),
    ])
    return [
      ...attend.bind('attention', { ...cache.layer(layer), rows, qkv, parts, statistics }),
      ...combine.bind('combine', { rows, parts, statistics, output }),
    ]
  }

/** In one piece: the append, attention, and the rounding to 8 bits. */
const unsplit: BuildFusedAttention = async (
  { gpu, config, cache },
  layer,
  { rows, qkv, attended, output, maxRows },
) => {
  if ('halves' in output) throw new TypeError('What needs f16 does not run on a software adapter.')
  const constants = { ...config, slotPages: cache.slotPages }
  const [append, attend, round] = await Promise.all([
    compileCacheAppend(gpu, constants),
    compileAttention(gpu, { ...constants, queries: 1, maxRows }),
    compileRoundActivations(gpu, { elements: maxRows * config.heads * config.headDim }),
  ])
  const buffers = { ...cache.layer(layer), rows, qkv }
  return [
    ...append.bind('cache append', buffers),
    ...attend.bind('attention', { ...buffers, y: attended }),
    ...round.bind('attended in 8 bits', { x: attended, output }),
  ]
}

/** What fused steps need, which this attention is a part of. */
export function fusedSteps(setting: VariantSetting): string | undefined {
  return (
    rounding(setting) ??
    unless(
      canRunFusedDecode(setting.gpu, setting.config, setting.shape),
      '4-bit weights in one piece each, sizes in blocks of 32, 9 storage buffers and 24 KiB of workgroup memory',
    )
  )
}

type Entry = VariantEntry<BuildFusedAttention>

function entry(build: BuildFusedAttention, needs?: Entry['needs']): Entry {
  const trial: Entry['trial'] = async ({ fused }) => {
    if (!fused) throw new TypeError('There are no buffers for fused steps.')
    return { rows: 1, dispatches: await fused.attention(0, build) }
  }
  if (!needs) return { build, trial }
  const all: Entry['needs'] = (setting) =>
    unless(fusedSteps(setting) === undefined, 'fused steps') ?? needs(setting)
  return { build, trial, needs: all }
}

/** Attention of fused steps: over splits of the cache, on subgroup matrices or in f32; or in one piece. */
export const DECODE_ATTENTION: VariantKind<DecodeAttention, Entry> = {
  unit: 'ms a layer',
  firstOnSoftware: 'unsplit',
  partOf: {
    kind: 'decode',
    variant: 'fused-int8',
    otherwise: { variant: 'simple', reason: 'no step is fused' },
  },
  entries: {
    'subgroup-matrix': entry(split(true), ({ gpu, config }) =>
      unless(
        canRunAttentionDecodeOnMatrices(gpu, config),
        'shader-f16, subgroups of 32, subgroup matrices of 16 x 16 x 16, heads of 128 in groups of a multiple of 16',
      ),
    ),
    simple: entry(split(false)),
    unsplit: entry(unsplit, ({ gpu }) =>
      unless(gpu.software, 'a software adapter: a GPU is occupied by splits alone'),
    ),
  },
}
