/**
 * Synchronous access to a file of the origin private file system (https://fs.spec.whatwg.org): in dedicated workers
 * only, which is why TypeScript's types for pages lack it.
 */
export interface SyncAccess {
  /** @returns the number of bytes read */
  read(target: Uint8Array, options: { at: number }): number
  /** @returns the number of bytes written */
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(size: number): void
  flush(): void
  close(): void
  getSize(): number
}

/** Chromium opens a file for several readers at once, in several tabs too; other browsers ignore the mode. */
type Mode = 'readwrite' | 'read-only'

interface WithSyncAccess {
  createSyncAccessHandle(options?: { mode: Mode }): Promise<SyncAccess>
}

/** Whether the browser says that a file is open elsewhere. */
export function isLocked(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'NoModificationAllowedError'
}

/**
 * Opens a file.
 * @returns undefined where there is no such access: in a page, or in a folder of the user's disk
 */
export async function openSyncAccess(
  handle: FileSystemFileHandle,
  mode: Mode,
): Promise<SyncAccess | undefined> {
  if (!('createSyncAccessHandle' in handle)) return undefined
  try {
    return await (handle as unknown as WithSyncAccess).createSyncAccessHandle({ mode })
  } catch (error) {
    if ((error as Error).name === 'InvalidStateError') return undefined
    throw error
  }
}
