export { bannedIds as bannedIdsReference } from '../on-host/banned-ids.js'
