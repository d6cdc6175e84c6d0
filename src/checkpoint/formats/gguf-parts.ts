import { CheckpointError, SourceError } from '../../errors/index.js'
import type { ByteSource } from '../sources/byte-source.js'
import { type GgufFile, openGguf } from './gguf.js'

/** `NAME-00001-of-00003.gguf`, as llama.cpp's `gguf-split` names the parts of a file. */
const PART = /^(.*-)(\d{5})-of-(\d{5})(\.gguf)$/i
/** Parts of a file; at 2 GB each this is far more than any model has. */
const MAX_PARTS = 1000

/** The paths of all parts of a GGUF file in their order: one path where it is not cut into parts. */
export function ggufParts(path: string): string[] {
  const [, name, , total, ending] = PART.exec(path) ?? []
  if (name === undefined || !(Number(total) >= 1 && Number(total) <= MAX_PARTS)) return [path]
  return Array.from(
    { length: Number(total) },
    (_, i) => `${name}${String(i + 1).padStart(5, '0')}-of-${total}${ending}`,
  )
}

/**
 * Opens the other parts of a file as well. The first one has the metadata of all.
 *
 * @param file any of the parts
 * @returns all parts in their order
 * @throws `checkpoint.shard-missing`, `checkpoint.corrupt` where parts do not belong together, and as `openGguf`
 */
export async function openGgufParts(
  source: ByteSource,
  file: GgufFile,
  signal?: AbortSignal,
): Promise<GgufFile[]> {
  const paths = ggufParts(file.path)
  const count = file.metadata.get('split.count') ?? 1
  if (count !== 1 && count !== paths.length) {
    throw new CheckpointError(
      'checkpoint.shard-missing',
      `${file.path} is one of ${count} parts, but its name does not say which: the parts are found by names that end in ` +
        '-00001-of-00002.gguf and so on. Give the files the names that they had.',
      { details: { shard: file.path, tensors: [] } },
    )
  }
  const parts = await Promise.all(
    paths.map(async (path) => {
      if (path === file.path) return file
      if (await source.has(path, signal)) return openGguf(source, path, signal)
      throw new CheckpointError(
        'checkpoint.shard-missing',
        `${file.path} is one of ${paths.length} parts, and ${path} is not in ${source.name}: download it.`,
        { details: { shard: path, tensors: [] } },
      )
    }),
  )
  checkParts(parts)
  return parts
}

function checkParts(parts: readonly GgufFile[]): void {
  const names = new Set<string>()
  for (const { path, tensors, metadata } of parts) {
    const count = metadata.get('split.count') ?? 1
    for (const name of tensors.keys()) {
      if (!names.has(name) && count === (parts[0]!.metadata.get('split.count') ?? 1)) names.add(name)
      else throw notTogether(path)
    }
  }
  const total = parts[0]!.metadata.get('split.tensors.count')
  if (parts.length > 1 && total !== undefined && total !== names.size) throw notTogether(parts[0]!.path)
}

function notTogether(path: string): CheckpointError {
  return new CheckpointError(
    'checkpoint.corrupt',
    `${path} and the other parts beside it are of different files: download them again.`,
  )
}

/**
 * The GGUF file of a folder, or the first part of it; undefined where there is none.
 *
 * @throws `source.not-found` where there are several
 */
export async function findGguf(source: ByteSource, signal?: AbortSignal): Promise<string | undefined> {
  const names = (await source.list(signal)).filter((name) => /\.gguf$/i.test(name))
  const files = [...new Set(names.map((name) => ggufParts(name)[0]!))]
  if (files.length <= 1) return files[0]
  throw new SourceError(
    'source.not-found',
    `${source.name} holds ${files.length} GGUF files: ${files.slice(0, 8).join(', ')}. Give one of them.`,
  )
}
