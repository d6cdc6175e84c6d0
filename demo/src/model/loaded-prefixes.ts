import type { PrefixHandle } from './backend.js'

/** Prefixes that are on the GPU, by name. They belong to the model that is loaded. */
export const loadedPrefixes = new Map<string, Promise<PrefixHandle>>()
