/**
 * An argument as a shell takes it when a printed command is pasted: in single quotes where it has a character that means
 * something to a shell.
 */
export function shellQuote(argument: string): string {
  if (/^[\p{L}\p{N}_@%+=:,./-]+$/u.test(argument)) return argument
  return `'${argument.replaceAll("'", "'\\''")}'`
}
