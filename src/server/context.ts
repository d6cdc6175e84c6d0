import type { Catalog } from './catalog.js'
import type { ServerMetrics } from './metrics.js'
import type { ResolvedOptions } from './options.js'
import type { ServedModel } from './served-model.js'

/** What every route works with. */
export interface ServerContext {
  readonly model: ServedModel
  readonly catalog: Catalog
  readonly options: ResolvedOptions
  readonly metrics: ServerMetrics
}
