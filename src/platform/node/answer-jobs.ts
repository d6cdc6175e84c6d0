import { parentPort } from 'node:worker_threads'

/** Answers each message to this thread with the result of a job, and gives the memory of it away. */
export function answerJobs<Job, Result>(
  work: (job: Job) => Result,
  buffersOf: (result: Result) => readonly ArrayBuffer[],
): void {
  parentPort?.on('message', (job: Job) => {
    const result = work(job)
    parentPort!.postMessage(result, buffersOf(result))
  })
}
