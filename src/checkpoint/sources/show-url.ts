import { checkArgument, opaque } from '../../schema/index.js'

const ADDRESS = opaque<string | URL>(
  (value) => typeof value === 'string' || value instanceof URL,
  'an address',
)

/**
 * An address to keep: without user, password, query and fragment, any of which may be a token or a signature. A path or a
 * name of a hub stays as it is.
 */
export function keptUrl(address: string | URL): string {
  return showUrl(address).replace(/[?#].*$/s, '')
}

/**
 * An address as messages show it: without user and password, and without the values of its query, which may be a token or
 * a signature. A path or a name of a hub stays as it is.
 */
export function showUrl(address: string | URL): string {
  checkArgument('address', ADDRESS, address)
  const text = String(address)
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return text
  const [, beforeQuery, query, fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text)!
  return (
    beforeQuery.replace(/^([^/]*\/\/)[^/]*@/, '$1') +
    (query ?? '').replace(/([?&;])([^=&;]*)(=?)[^&;]*/g, (_, start, name, equals) =>
      equals ? `${start}${name}=…` : `${start}…`,
    ) +
    (fragment && '#…')
  )
}
