import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { adapterName } from '../../src/index.js'
import { DAWN_TOGGLES, type Gpu } from './internals.js'

/** Where and from what a result comes. */
export interface Environment {
  readonly date: string
  /** Of the source; null where it was not to be found. `+` marks uncommitted changes. */
  readonly commit: string | null
  readonly command: string
  readonly adapter: string
  readonly adapterInfo: Readonly<Record<'vendor' | 'architecture' | 'device' | 'description', string>>
  /** The driver's own line about itself; null where it leaves none. */
  readonly driver: string | null
  /** How Dawn was started. */
  readonly toggles: readonly string[]
  readonly features: readonly string[]
  readonly node: string
  readonly processor: string
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

function currentCommit(): string | null {
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return null
  }
}

function driverVersion(): string | null {
  try {
    return readFileSync('/proc/driver/nvidia/version', 'utf8')
      .split('\n')[0]
      .replace(/^NVRM version:\s*/, '')
  } catch {
    return null
  }
}

/** @param commit for hosts that have the programs without their history */
export function describeEnvironment(gpu: Gpu, commit?: string): Environment {
  const { vendor, architecture, device, description } = gpu.info
  const [, program = '', ...args] = process.argv
  return {
    date: new Date().toISOString(),
    commit: commit ?? currentCommit(),
    command: ['node', `build/${program.split('/').pop()}`, ...args].join(' '),
    adapter: adapterName(gpu.info),
    adapterInfo: { vendor, architecture, device, description },
    driver: driverVersion(),
    toggles: DAWN_TOGGLES,
    features: [...gpu.device.features].sort(),
    node: process.version,
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} threads`,
  }
}

/** Lines about the environment, for people. */
export function environmentLines({ adapter, driver, features, commit, date }: Environment): string[] {
  return [
    `${adapter}${driver ? `; ${driver}` : ''}`,
    `features: ${features.join(', ')}`,
    `commit ${commit ?? 'unknown'}, ${date}`,
  ]
}
