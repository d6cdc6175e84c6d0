export {
  candidates as candidatesReference,
  draw as drawReference,
  greedy as greedyReference,
  logProbability as logProbabilityReference,
  randomBits,
} from '../on-host/draw.js'
