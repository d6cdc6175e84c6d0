/**
 * Packages that are part of the library's files: those that only the command and the server use, so that a web app does not
 * install them, and those whose own files bundlers warn of.
 */
export const INCLUDED: readonly string[] = [
  '@fastify/cors',
  'cli-progress',
  'commander',
  'fastify',
  'picocolors',
  'prom-client',
  'zod',
]
