/** The folder of this package in the user's cache. In Node alone. */
export async function userCacheFolder(): Promise<string> {
  const [{ homedir }, { join }] = await Promise.all([import('node:os'), import('node:path')])
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'chatglm-webgpu')
}
