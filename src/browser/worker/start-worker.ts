import { workerFailed } from './errors.js'

/** What a worker says after it has begun to listen. */
export const READY = 'chatglm-webgpu: ready'

/** The names of the library's workers. */
export type WorkerName = 'chatglm-webgpu' | 'chatglm-store'

/**
 * Starts a worker of the library.
 *
 * Bundlers that know `new Worker(new URL(...))` take the worker's script along. Others, esbuild and servers for development
 * among them, leave a script of that name nowhere; there the part of the bundle that holds `self-worker.ts` is started as
 * the worker.
 *
 * @param start starts it in the form that bundlers know
 * @throws `device.worker-failed`
 */
export async function startWorker(name: WorkerName, start: () => Worker): Promise<Worker> {
  if (typeof Worker === 'undefined') {
    throw workerFailed('there are no Web Workers here; in Node, use loadModel')
  }
  try {
    return await ready(start())
  } catch (failure) {
    const { url } = await import('../self-worker.js')
    try {
      return await ready(new Worker(url, { type: 'module', name }))
    } catch {
      throw failure
    }
  }
}

function ready(worker: Worker): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const onMessage = ({ data }: MessageEvent) => {
      if (data !== READY) return
      forget()
      resolve(worker)
    }
    const onError = (event: Event) => {
      forget()
      worker.terminate()
      reject(workerFailed((event as Partial<ErrorEvent>).message || 'its script could not be loaded'))
    }
    const forget = () => {
      worker.removeEventListener('message', onMessage)
      worker.removeEventListener('error', onError)
    }
    worker.addEventListener('message', onMessage)
    worker.addEventListener('error', onError)
  })
}
