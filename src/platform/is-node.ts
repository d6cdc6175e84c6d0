/**
 * Whether this runs in Node. Builds for browsers have `false` here, so that they leave out what only Node runs: the
 * files in folders called `node`, imported with `import()` behind this.
 */
export const isNode: boolean = typeof process !== 'undefined' && typeof process.versions?.node === 'string'
