import { AdapterError, DeviceError } from '../errors/index.js'

/** A card was chosen that is not there. */
export function unknownCard(
  index: number,
  known: readonly { readonly index: number; readonly name: string }[],
) {
  const there = known.map(({ index, name }) => `${index} (${name})`).join(', ')
  return new AdapterError(
    'adapter.card-unknown',
    `There is no GPU ${index} here; ${there ? `there are ${there}` : 'the system lists none, so only 0 can be chosen'}. ` +
      '\'chatglm devices\' lists them. The software adapter can be had several times: device "software".',
  )
}

/** A card cannot be reached past others of its name. @param why what stands in the way */
export function hiddenCard(index: number, name: string, why: string) {
  return new AdapterError(
    'adapter.card-hidden',
    `GPU ${index} (${name}) cannot be chosen: WebGPU takes the first card of a name, others have the same one, and a process ` +
      `that sees only this card cannot be made: ${why}. Run as root or allow user namespaces, or give the container one card only.`,
  )
}

/** The process of a card did not start, ended, or does not answer. */
export function processFailed(label: string, problem: string) {
  return new DeviceError(
    'device.worker-failed',
    `The process of ${label} failed: ${problem}. Load the model again.`,
  )
}

/** An answer that was begun on a lost card goes on otherwise on another one. */
export function otherAnswer(label: string) {
  return new DeviceError(
    'device.lost',
    `The GPU that was at work on the answer was lost, and ${label} answers otherwise: what was given out cannot be continued. Ask again.`,
  )
}
