/** The browser gives this page no storage for files. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
  constructor(problem: string, options?: ErrorOptions) {
    super(
      `This page cannot store models: ${problem}. Leave the private window, use https or localhost and a current ` +
        'browser, or choose a folder of the disk each time.',
      options,
    )
  }
}

/** The browser grants this page less space than is needed. */
export class StorageQuotaError extends Error {
  override readonly name = 'StorageQuotaError'

  /**
   * @param needed bytes still to be written
   * @param available bytes that the browser still grants
   */
  constructor(
    item: string,
    readonly needed: number,
    readonly available: number,
    options?: ErrorOptions,
  ) {
    const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`
    super(
      `"${item}" needs ${gigabytes(needed)} more, but the browser grants this page ${gigabytes(available)}. ` +
        'Delete a stored model, free space on the disk, or ask for persistent storage. What was downloaded is kept.',
      options,
    )
  }
}

/** Another tab, or another call, changes the same stored item now. */
export class StoreBusyError extends Error {
  override readonly name = 'StoreBusyError'
  constructor(item: string, options?: ErrorOptions) {
    super(
      `"${item}" is being downloaded, changed or read elsewhere, maybe in another tab. Wait until that is done, or end it there.`,
      options,
    )
  }
}

/** The store has no item of that name. */
export class NotStoredError extends Error {
  override readonly name = 'NotStoredError'
  constructor(item: string) {
    super(`Nothing is stored under the name "${item}". Download it, or list what there is.`)
  }
}

/** A stored item lacks files: its download was interrupted, or its files were found damaged. */
export class IncompleteItemError extends Error {
  override readonly name = 'IncompleteItemError'
  constructor(item: string) {
    super(
      `"${item}" is not stored completely. Download it again: what is there already is not downloaded anew.`,
    )
  }
}
