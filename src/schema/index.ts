/** What inputs look like: one declarative description for each, and what is wrong with a value in words. */
export {
  anObject,
  bytes,
  callback,
  checkArgument,
  checkOptions,
  listOf,
  type OptionShape,
  opaque,
  signal,
  withMethods,
} from './options.js'
export {
  fields,
  findRefusal,
  flag,
  number,
  oneOf,
  optional,
  type Refusal,
  refusalOf,
  type Schema,
  text,
  wholeNumber,
  z,
} from './schema.js'
