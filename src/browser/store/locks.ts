import { itemBusy } from './errors.js'

/**
 * Runs work that changes an item while nobody else does, in this tab or in another one. The browser gives the lock back
 * when a tab is closed or crashes.
 * @throws `busy.stored-item` where somebody else is at it
 */
export async function withItemLock<T>(item: string, work: () => Promise<T>): Promise<T> {
  // Outside the browser, as in tests, there is one thread and there are no tabs.
  if (typeof navigator === 'undefined' || !navigator.locks) return work()
  return navigator.locks.request(`chatglm-webgpu item ${item}`, { ifAvailable: true }, async (lock) => {
    if (!lock) throw itemBusy(item)
    return work()
  })
}
