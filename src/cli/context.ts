import type { Library } from './library.js'
import type { Terminal } from './terminal.js'

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal
  readonly loadLibrary: () => Promise<Library>
  /** Whether errors show where they come from. */
  readonly debug: () => boolean
}
