export { penalize as penalizeReference } from '../on-host/penalize.js'
