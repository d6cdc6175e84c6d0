import {
  canRunAttentionPrefill,
  canRunAttentionPrefillOnMatrices,
  compileAttention,
  compileAttentionPrefill,
} from '../../../../kernels/index.js'
import type { BuildAttention } from '../../webgpu/forward.js'
import { unless, type VariantEntry, type VariantKind } from '../kind.js'

export type PrefillAttention = 'subgroup-matrix' | 'tiled' | 'simple'

/** Attention head by head. @param queries consecutive rows of one sequence that share a workgroup; 1 for rows of several */
export const simpleAttention =
  (queries: number): BuildAttention =>
  async ({ gpu, config, cache }, layer, { maxRows, rows, qkv, attended }) => {
    const constants = { ...config, slotPages: cache.slotPages, maxRows, queries }
    const kernel = await compileAttention(gpu, constants)
    return kernel.bind('attention', { ...cache.layer(layer), rows, qkv, y: attended })
  }

const sharedTiles =
  (onMatrices: boolean): BuildAttention =>
  async ({ gpu, config, cache }, layer, { maxRows, rows, qkv, attended }) => {
    const constants = { ...config, slotPages: cache.slotPages, maxRows }
    const kernel = await compileAttentionPrefill(gpu, constants, { onMatrices })
    return kernel.bind('attention', { ...cache.layer(layer), rows, qkv, y: attended })
  }

function entry(build: BuildAttention): VariantEntry<BuildAttention> {
  const trial: VariantEntry<BuildAttention>['trial'] = async ({ context, prefill }) => {
    return { rows: prefill.maxRows, dispatches: await build(context, 0, prefill) }
  }
  return { build, trial }
}

/** Attention of prompts: on subgroup matrices, in f32 over heads that share tiles, or in f32 head by head. */
export const PREFILL_ATTENTION: VariantKind<PrefillAttention, VariantEntry<BuildAttention>> = {
  unit: 'ms a layer',
  firstOnSoftware: 'simple',
  entries: {
    'subgroup-matrix': {
      ...entry(sharedTiles(true)),
      needs: ({ gpu, config }) =>
        unless(
          canRunAttentionPrefillOnMatrices(gpu, config),
          'shader-f16, subgroups of 32, subgroup matrices of 16 x 16 x 16, 32 kB of workgroup memory and heads of 128',
        ),
    },
    tiled: {
      ...entry(sharedTiles(false)),
      needs: ({ gpu, config }) =>
        unless(
          canRunAttentionPrefill(gpu, config),
          'heads of a multiple of 16, and workgroup memory for 32 of them (30 kB where they are 128 wide)',
        ),
    },
    simple: entry(simpleAttention(8)),
  },
}
