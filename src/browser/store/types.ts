/** A model or a prefix in the browser's storage. */
export interface StoredItem {
  readonly name: string
  readonly kind: StoredKind
  /** Where it came from, as it was given to `download`, or the names of the files given to `add`; or `training`. */
  readonly source: string
  /** Bytes stored so far. */
  readonly bytes: number
  /** Bytes of the whole. */
  readonly totalBytes: number
  /** Whether every file is there and was verified. */
  readonly complete: boolean
  /** When it was begun, in milliseconds since 1970. */
  readonly addedAt: number
}

export type StoredKind = 'model' | 'prefix'

/** How far a download or a verification has come. */
export interface StoreProgress {
  /** The file now worked on. */
  readonly file: string
  /** Bytes done so far, those of an interrupted download included, and in all. */
  readonly doneBytes: number
  readonly totalBytes: number
  /** Of these, bytes that came over the network in this call. */
  readonly transferredBytes: number
}

export interface StoreOptions {
  /** Where to store. Default: the folder `chatglm-webgpu` of the origin private file system. */
  readonly root?: FileSystemDirectoryHandle
}

export interface StoreWorkOptions {
  readonly onProgress?: (progress: StoreProgress) => void
  /** Ends the work; what was downloaded stays and is continued by the next `download`. */
  readonly signal?: AbortSignal
}

/** The store's share of the disk, in bytes. */
export interface StoreUsage {
  /** What the whole origin takes. */
  readonly used: number
  /** What the browser lets it take. */
  readonly quota: number
  /** Whether the browser keeps it when the disk gets full. */
  readonly persisted: boolean
}
