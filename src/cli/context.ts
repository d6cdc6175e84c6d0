import type { Library, ServerLibrary } from './library.js'
import type { Terminal } from './terminal.js'

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal
  readonly loadLibrary: () => Promise<Library>
  readonly loadServer: () => Promise<ServerLibrary>
  /** Whether errors show where they come from. */
  readonly debug: () => boolean
}
