import type { Dispatch, Gpu } from '../../../gpu/index.js'
import foursSource from '../../common/fours.wgsl?raw'
import keptQueriesSource from '../../common/kept-queries.wgsl?raw'
import type { ScratchKernel } from '../../common/kernel.js'
import prefixedKeysSource from '../../common/prefixed-keys.wgsl?raw'
import { scratchLayout } from '../../common/scratch.js'
import { canRunLargeTiles, tiledAttentionSpecialization } from '../../common/training-attention.js'
import type { AttentionBackwardBuffers, AttentionBackwardConstants } from './contract.js'
import deltaSource from './delta.wgsl?raw'
import keysSource from './keys.wgsl?raw'
import { compileSum, keyRows, partBytes, splitsOf } from './parts.js'
import queriesSource from './queries.wgsl?raw'

const QUERY_MODULES = [prefixedKeysSource, foursSource, keptQueriesSource, queriesSource]
const KEY_MODULES = [prefixedKeysSource, foursSource, keysSource]

/** Lines (pairs of a row and a head) and keys of a tile: where lines stay and keys go by, and the other way round. */
function tilesOf(gpu: Gpu, constants: AttentionBackwardConstants) {
  return canRunLargeTiles(gpu, constants)
    ? { queryTile: { LINES: 16, KEYS: 8 }, keyTile: { LINES: 8, KEYS: 16 } }
    : { queryTile: { LINES: 4, KEYS: 8 }, keyTile: { LINES: 8, KEYS: 4 } }
}

/** The backward pass of attention in f32, on any adapter. */
export async function compileTiledBackward(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
): Promise<ScratchKernel<AttentionBackwardBuffers>> {
  const { heads, kvGroups, maxRows, prefixOnly } = constants
  const splits = splitsOf(gpu, constants)
  const { queryTile, keyTile } = tilesOf(gpu, constants)
  const { u32, bool } = tiledAttentionSpecialization(gpu, 'attention-backward', constants)
  const [deltaPipeline, queries, keys, sum] = await Promise.all([
    gpu.compile('attention-backward delta', [deltaSource], { u32 }),
    gpu.compile('attention-backward queries', QUERY_MODULES, {
      u32: { ...u32, ...queryTile },
      bool,
    }),
    gpu.compile('attention-backward keys', KEY_MODULES, {
      u32: { ...u32, ...keyTile, SPLITS: splits },
      bool,
    }),
    compileSum(gpu, constants, splits),
  ])
  const layout = scratchLayout({ delta: maxRows * heads * 4, parts: partBytes(constants, splits) })
  return {
    scratchBytes: layout.bytes,
    bind(label, { sequences, qkv, prefix, y, logSumExp, dy, dqkv, dprefix, scratch }) {
      const { delta, parts } = layout.ranges(scratch)
      const read = [sequences, qkv, prefix, dy, logSumExp, delta]
      const ofDelta: Dispatch = {
        label: `${label} delta`,
        pipeline: deltaPipeline,
        bindGroup: gpu.bind(deltaPipeline, `${label} delta`, [sequences, y, dy, delta]),
        workgroups: (rows) => [Math.ceil((rows * heads) / u32.WORKGROUP_SIZE), 1, 1],
      }
      const ofQueries: Dispatch = {
        label: `${label} queries`,
        pipeline: queries,
        bindGroup: gpu.bind(queries, `${label} queries`, [...read, dqkv]),
        workgroups: (rows) => [kvGroups, Math.ceil((rows * heads) / kvGroups / queryTile.LINES), 1],
      }
      const ofKeys: Dispatch = {
        label: `${label} keys`,
        pipeline: keys,
        bindGroup: gpu.bind(keys, `${label} keys`, [...read, parts]),
        workgroups: (rows) => [kvGroups * splits, Math.ceil(keyRows(constants, rows) / keyTile.KEYS), 1],
      }
      const ofSum = sum.bind(`${label} sum`, { sequences, parts, dprefix, dqkv })
      return prefixOnly ? [ofDelta, ofKeys, ...ofSum] : [ofDelta, ofQueries, ofKeys, ...ofSum]
    },
  }
}
