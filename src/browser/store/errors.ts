import { BusyError, StoreError } from '../../errors/index.js'

/** The browser gives this page no storage for files. */
export function storeUnavailable(problem: string, options?: ErrorOptions) {
  return new StoreError(
    'store.unavailable',
    `This page cannot store models: ${problem}. Leave the private window, use https or localhost and a current ` +
      'browser, or choose a folder of the disk each time.',
    options,
  )
}

/**
 * The browser grants this page less space than is needed.
 * @param needed bytes still to be written
 * @param available bytes that the browser still grants
 */
export function quotaExceeded(item: string, needed: number, available: number, options?: ErrorOptions) {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`
  return new StoreError(
    'store.quota',
    `"${item}" needs ${gigabytes(needed)} more, but the browser grants this page ${gigabytes(available)}. ` +
      'Delete a stored model, free space on the disk, or ask for persistent storage. What was downloaded is kept.',
    { ...options, details: { item, needed, available } },
  )
}

/** Another tab, or another call, changes the same stored item now. */
export function itemBusy(item: string, options?: ErrorOptions) {
  return new BusyError(
    'busy.stored-item',
    `"${item}" is being downloaded, changed or read elsewhere, maybe in another tab. Wait until that is done, or end it there.`,
    { ...options, details: { item } },
  )
}

/** The store has no item of that name. */
export function notStored(item: string) {
  return new StoreError(
    'store.not-found',
    `Nothing is stored under the name "${item}". Download it, or list what there is.`,
    { details: { item } },
  )
}

/** A stored item lacks files: its download was interrupted, or its files were found damaged. */
export function incompleteItem(item: string) {
  return new StoreError(
    'store.incomplete',
    `"${item}" is not stored completely. Download it again: what is there already is not downloaded anew.`,
    { details: { item } },
  )
}
