import type { Dispatch, Gpu } from '../../../gpu/index.js'
import type { ScratchKernel } from '../../common/kernel.js'
import matrixTilesSource from '../../common/matrix-tiles.wgsl?raw'
import { compilePackKeys, packedKeyBytes } from '../../common/pack-keys.js'
import packedKeysSource from '../../common/packed-keys.wgsl?raw'
import { scratchLayout } from '../../common/scratch.js'
import { MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import type { AttentionBackwardBuffers, AttentionBackwardConstants } from './contract.js'
import keysSource from './keys-subgroup.wgsl?raw'
import packLinesSource from './pack-lines.wgsl?raw'
import { compileSum, keyRows, partBytes, splitsOf } from './parts.js'
import queriesSource from './queries-subgroup.wgsl?raw'
import splitLinesSource from './split-lines.wgsl?raw'

const QUERY_MODULES = [matrixTilesSource, packedKeysSource, queriesSource]
const KEY_MODULES = [matrixTilesSource, splitLinesSource, keysSource]

/** What queries-subgroup.wgsl and keys-subgroup.wgsl are written for: lines, and keys, of a workgroup. */
const QUERY_LINES = 64
const KEYS = 32

/** The backward pass of attention on subgroup matrices, for heads of 128. */
export async function compileSubgroupBackward(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
): Promise<ScratchKernel<AttentionBackwardBuffers>> {
  const { heads, kvGroups, headDim, prefixLength, maxRows, prefixOnly } = constants
  const splits = splitsOf(gpu, constants)
  const u32 = { HEADS: heads, KV_GROUPS: kvGroups, PREFIX: prefixLength, MAX_ROWS: maxRows }
  const [packKeys, packLines, queries, keys, sum] = await Promise.all([
    compilePackKeys(gpu, constants),
    gpu.compile('attention-backward lines', [packLinesSource], { enable: ['subgroups'], u32 }),
    gpu.compile('attention-backward queries', QUERY_MODULES, { enable: MATRIX_EXTENSIONS, u32 }),
    gpu.compile('attention-backward keys', KEY_MODULES, {
      enable: MATRIX_EXTENSIONS,
      u32: { ...u32, SPLITS: splits },
    }),
    compileSum(gpu, constants, splits),
  ])
  const layout = scratchLayout({
    packedKeys: packedKeyBytes(constants),
    lines: 2 * maxRows * heads * headDim * 2,
    facts: maxRows * heads * 16,
    parts: partBytes(constants, splits),
  })
  return {
    scratchBytes: layout.bytes,
    bind(label, buffers) {
      const { sequences, qkv, y, logSumExp, dy, dqkv, dprefix, scratch } = buffers
      const { packedKeys, lines, facts, parts } = layout.ranges(scratch)
      const ofLines: Dispatch = {
        label: `${label} lines`,
        pipeline: packLines,
        bindGroup: gpu.bind(packLines, `${label} lines`, [qkv, y, dy, logSumExp, lines, facts]),
        workgroups: (rows) => [rows, 1, 1],
      }
      const ofQueries: Dispatch = {
        label: `${label} queries`,
        pipeline: queries,
        bindGroup: gpu.bind(queries, `${label} queries`, [sequences, packedKeys, lines, facts, dqkv]),
        workgroups: (rows) => [kvGroups, Math.ceil((rows * heads) / kvGroups / QUERY_LINES), 1],
      }
      const ofKeys: Dispatch = {
        label: `${label} keys`,
        pipeline: keys,
        bindGroup: gpu.bind(keys, `${label} keys`, [sequences, packedKeys, lines, facts, parts]),
        workgroups: (rows) => [kvGroups * splits, Math.ceil(keyRows(constants, rows) / KEYS), 1],
      }
      const packed = [...packKeys.bind(`${label} pack`, { ...buffers, packed: packedKeys }), ofLines]
      const ofSum = sum.bind(`${label} sum`, { sequences, parts, dprefix, dqkv })
      return prefixOnly ? [...packed, ofKeys, ...ofSum] : [...packed, ofQueries, ofKeys, ...ofSum]
    },
  }
}
