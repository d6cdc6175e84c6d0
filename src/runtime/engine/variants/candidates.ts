import type { Gpu } from '../../../gpu/index.js'
import {
  canRunAttentionDecodeOnMatrices,
  canRunAttentionPrefill,
  canRunAttentionPrefillOnMatrices,
  canRunMatmulInt8,
  canRunMatmulSubgroup,
  type WeightFormat,
} from '../../../kernels/index.js'
import type { ModelConfig, ModelShape } from '../../model/index.js'
import { canRunFusedDecode } from '../webgpu/fused-decode.js'

import { VARIANTS, type VariantName, type VariantOf, type Variants } from './variants.js'

/** A variant, and what is in its way on this GPU for this model, if anything. */
export interface Candidate<Name extends VariantName = VariantName> {
  readonly variant: VariantOf<Name>
  readonly obstacle?: string
}

/** Every variant of everything, the likeliest to be fast first. */
export type Candidates = { readonly [Name in VariantName]: readonly Candidate<Name>[] }

/**
 * Software adapters compile for seconds what has large loops, and gain nothing from it or from splits: these come first
 * there, where nothing is measured.
 */
const SOFTWARE_FIRST: Variants = {
  prefillProduct: 'float32',
  prefillAttention: 'simple',
  decode: 'fused-int8',
  decodeAttention: 'unsplit',
}

function weightFormats({ layers }: ModelShape): WeightFormat[] {
  return layers
    .flatMap(({ qkv, dense, gateUp, down }) => [qkv, dense, gateUp, down])
    .map(({ slices: [{ format }] }) => format)
}

type Obstacles = { readonly [Name in VariantName]: { readonly [V in VariantOf<Name>]?: string | undefined } }

/** What is in a variant's way; undefined where nothing is. */
function obstacles(
  gpu: Gpu,
  config: ModelConfig,
  shape: ModelShape,
  activations: 'int8' | 'float',
): Obstacles {
  const needs = (condition: boolean, what: string) => (condition ? undefined : `needs ${what}`)
  const rounding = needs(activations === 'int8', 'activations: "int8"')
  const formats = weightFormats(shape)
  const quantized = formats.filter(({ type }) => type !== 'f16')
  const fusing =
    rounding ??
    needs(
      canRunFusedDecode(gpu, config, shape),
      '4-bit weights in one piece each, sizes in blocks of 32, 9 storage buffers and 24 KiB of workgroup memory',
    )
  return {
    prefillProduct: {
      'subgroup-matrix': needs(
        formats.every((format) => canRunMatmulSubgroup(gpu, { format })),
        'shader-f16, subgroup matrices of f16 with f32 sums, and 20 kB of workgroup memory',
      ),
      int8:
        rounding ??
        needs(quantized.length > 0, 'quantized weights') ??
        needs(
          quantized.every((format) => canRunMatmulInt8(gpu, { format })),
          'more workgroup memory for groups of this size',
        ),
      float16: needs(gpu.f16, 'shader-f16'),
    },
    prefillAttention: {
      'subgroup-matrix': needs(
        canRunAttentionPrefillOnMatrices(gpu, config),
        'shader-f16, subgroups of 32, subgroup matrices of 16 x 16 x 16, 32 kB of workgroup memory and heads of 128',
      ),
      tiled: needs(
        canRunAttentionPrefill(gpu, config),
        'heads of a multiple of 16, and workgroup memory for 32 of them (30 kB where they are 128 wide)',
      ),
    },
    decode: { 'fused-int8': fusing },
    decodeAttention: {
      'subgroup-matrix':
        needs(fusing === undefined, 'fused steps') ??
        needs(
          canRunAttentionDecodeOnMatrices(gpu, config),
          'shader-f16, subgroups of 32, subgroup matrices of 16 x 16 x 16, heads of 128 in groups of a multiple of 16',
        ),
      unsplit:
        needs(fusing === undefined, 'fused steps') ??
        needs(gpu.software, 'a software adapter: a GPU is occupied by splits alone'),
    },
  }
}

/** Every variant for a model on a GPU, the likeliest to be fast first, and what is in its way. */
export function candidates(
  gpu: Gpu,
  config: ModelConfig,
  shape: ModelShape,
  activations: 'int8' | 'float',
): Candidates {
  const all = obstacles(gpu, config, shape, activations)
  const of = <Name extends VariantName>(name: Name): Candidate<Name>[] => {
    const variants: readonly VariantOf<Name>[] = VARIANTS[name]
    const listed = variants.map((variant): Candidate<Name> => {
      const obstacle = (all[name] as Readonly<Record<string, string | undefined>>)[variant]
      return { variant, ...(obstacle !== undefined && { obstacle }) }
    })
    if (!gpu.software) return listed
    const isFirst = ({ variant }: Candidate<Name>) => Number(variant === SOFTWARE_FIRST[name])
    return listed.sort((a, b) => isFirst(b) - isFirst(a))
  }
  return {
    prefillProduct: of('prefillProduct'),
    prefillAttention: of('prefillAttention'),
    decode: of('decode'),
    decodeAttention: of('decodeAttention'),
  }
}
