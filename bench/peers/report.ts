import type { ThroughputSeries } from '../charts/throughput.js'
import type { Environment } from '../common/environment.js'

/** What one system reached. */
export type System = ThroughputSeries

/** The results of `bench:peers`, as they are in its JSON. */
export interface PeerReport {
  readonly kind: 'peers'
  readonly version: 1
  readonly environment: Environment
  readonly systems: readonly System[]
}
