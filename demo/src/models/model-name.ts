import { strings } from '../i18n/index.js'
import type { ModelSource } from '../model/model.js'

export function nameOfModel(source: ModelSource): string {
  return source.kind === 'shipped' ? strings.value.models.shipped : source.name
}
