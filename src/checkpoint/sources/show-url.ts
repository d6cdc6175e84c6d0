import { checkArgument, opaque } from '../../schema/index.js'

const ADDRESS = opaque<string | URL>(
  (value) => typeof value === 'string' || value instanceof URL,
  'an address',
)

/** Whether a text is an address and no path: a scheme stands before it. One letter is a drive of Windows. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(text)
}

/** An address without the space that was copied along with it; a path stays as it is. */
export function trimAddress(text: string): string {
  const trimmed = text.trim()
  return isAddress(trimmed) ? trimmed : text
}

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
  const text = trimAddress(String(address))
  if (!isAddress(text)) return text
  const [, beforeQuery, query, fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text)!
  return (
    beforeQuery.replace(/^([^/]*\/\/)[^/]*@/, '$1') +
    (query ?? '').replace(/([?&;])([^=&;]*)(=?)[^&;]*/g, (_, start, name, equals) =>
      equals ? `${start}${name}=…` : `${start}…`,
    ) +
    (fragment && '#…')
  )
}
