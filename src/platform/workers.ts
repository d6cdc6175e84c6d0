import { isNode } from './is-node.js'

/** Does work of one kind, several jobs at a time where it can. */
export interface Workers<Job, Result> {
  /** Jobs under way at the same time. */
  readonly parallel: number
  run(job: Job): Promise<Result>
  close(): Promise<void>
}

/**
 * Workers with threads of their own in Node, where the machine has cores for them and the build has their program beside its
 * other files; elsewhere this thread does the work.
 * @param program the name of the program without its ending; see `serveJobs`
 * @param work what the program does, too
 */
export async function openWorkers<Job, Result>(
  program: string,
  work: (job: Job) => Result,
): Promise<Workers<Job, Result>> {
  if (isNode) {
    const { startThreads } = await import('./node/threads.js')
    const threads = startThreads<Job, Result>(program)
    if (threads) return threads
  }
  return { parallel: 1, run: async (job) => work(job), close: async () => {} }
}

/** Bytes in memory of their own, for a job: of a view, a message carries all that is around it. */
export function ownedBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

/**
 * The program of a thread of `openWorkers`: answers each job.
 * @param buffersOf the memory of a result, which goes with it and is not copied
 */
export async function serveJobs<Job, Result>(
  work: (job: Job) => Result,
  buffersOf: (result: Result) => readonly ArrayBuffer[],
): Promise<void> {
  const { answerJobs } = await import('./node/answer-jobs.js')
  answerJobs(work, buffersOf)
}
