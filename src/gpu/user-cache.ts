/** The folder of this package in the user's cache. Node only. */
import { homedir } from 'node:os'
import { join } from 'node:path'

export function userCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'chatglm-webgpu')
}
