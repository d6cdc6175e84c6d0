import { DeviceError } from '../../errors/index.js'

/** The worker that runs a model could not be started, or ended by itself. */
export function workerFailed(problem: string) {
  return new DeviceError(
    'device.worker-failed',
    `The model's worker failed: ${problem}. Load the model again; if it never starts, look whether the page's ` +
      'server has the worker file and its Content-Security-Policy allows workers (worker-src).',
  )
}
