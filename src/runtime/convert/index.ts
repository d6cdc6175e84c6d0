export { type ConvertOptions, type ConvertResult, convertCheckpoint } from './convert.js'
