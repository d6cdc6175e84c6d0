import type { PrefixChoice } from '../conversation/types.js'
import { strings } from '../i18n/index.js'

/** `poem`, or `poem × 0.5` */
export function nameOfChoice({ name, strength }: PrefixChoice): string {
  if (name === null) return strings.value.prefixes.none
  return strength === 1 ? name : `${name} × ${strength}`
}
