/**
 * Where Node finds no GPU driver: SwiftShader, a Vulkan driver that runs on the CPU, and a Vulkan loader, both
 * from the npm package `@sparticuz/chromium`, unpacked once into the user's cache folder. Linux x64 only. It is an optional
 * peer: who has a GPU needs no browser.
 */

import { createReadStream } from 'node:fs'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress } from 'node:zlib'
import { userCacheFolder } from '../user-cache.js'

/** `dlopen` flag of Linux (not in Node's list): the library stays loaded although Node closes it again. */
const RTLD_NODELETE = 0x1000

const DRIVER = 'vk_swiftshader_icd.json'
const LOADER = 'libvulkan.so.1'

interface TarFs {
  extract(folder: string): NodeJS.WritableStream
}

const require = createRequire(import.meta.url)

/** What the package of Chromium is opened from; undefined where it is not installed. */
function chromiumEntry(): string | undefined {
  try {
    return require.resolve('@sparticuz/chromium')
  } catch {
    return undefined
  }
}

/** @param entry of the package of Chromium, which brings `tar-fs` along */
async function unpack(entry: string): Promise<string> {
  const packageFolder = dirname(dirname(dirname(entry)))
  const { extract } = createRequire(entry)('tar-fs') as TarFs
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string
  }
  const folder = join(await userCacheFolder(), `swiftshader-${version}`)
  try {
    await access(join(folder, DRIVER))
    return folder
  } catch {
    // Not unpacked yet.
  }
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}-`)
  try {
    await pipeline(
      createReadStream(join(packageFolder, 'bin', 'swiftshader.tar.br')),
      createBrotliDecompress(),
      extract(fresh),
    )
    await rename(fresh, folder)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    // Another process may have finished the same work first.
    await access(join(folder, DRIVER)).catch(() => {
      throw error
    })
  }
  return folder
}

/** Loads a Vulkan loader for good. Node then complains that it is no Node module, which is no failure here. */
function loadVulkanLoader(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | RTLD_NODELETE)
    return true
  } catch (error) {
    return /self-register/.test(String(error))
  }
}

/** Whether this is a platform of the software adapter without a Vulkan loader of its own. */
export function lacksVulkanLoader(): boolean {
  return process.platform === 'linux' && process.arch === 'x64' && !loadVulkanLoader(LOADER)
}

/**
 * Points this process's Vulkan at SwiftShader. Takes effect for GPU instances created afterwards.
 * @returns false where the package is not installed, or not for the platform
 */
export async function installSoftwareAdapter(): Promise<boolean> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false
  const entry = chromiumEntry()
  if (!entry) return false
  const folder = await unpack(entry)
  process.env.VK_DRIVER_FILES = join(folder, DRIVER)
  // Dawn asks the system for `libvulkan.so.1`. Where there is none, a library already loaded under that name
  // is found instead, which spares restarting the process with another LD_LIBRARY_PATH.
  return !lacksVulkanLoader() || loadVulkanLoader(join(folder, LOADER))
}
