import { loadModel } from '../../src/runtime/generate/index.js'
import { TASKS } from './corpus/task.js'
import { evaluateTasks, type TaskEvaluation } from './evaluate-tasks.js'
import { PREFIX_TASKS, type PrefixTaskName } from './prefix-tasks/prefix-tasks.js'

/** Where the parts of the trained model are. */
export interface SmallModelFolders {
  readonly float: string
  readonly quantized: string
  readonly prefixes: Readonly<Record<string, string>>
}

/** What the model was asked and answered, without and with each prefix. */
export interface SmallModelEvaluation {
  /** The base in float16, on its own tasks. */
  readonly float: readonly TaskEvaluation[]
  /** The base in 4 bits, on its own tasks and on those of the prefixes. */
  readonly base: readonly TaskEvaluation[]
  /** With each prefix, on its task and on those of the base. */
  readonly prefixes: Readonly<Record<PrefixTaskName, readonly TaskEvaluation[]>>
}

const CONTEXT = 640
const BATCH = 50
const SAMPLES = 200

function said(what: string) {
  return ({ task, done, total }: { task: string; done: number; total: number }) => {
    if (done === total) console.log(`Asked ${what}: ${task}, ${total} questions`)
  }
}

/** Asks the model what was held out. @param samples questions of each task */
export async function evaluateSmallModel(
  folders: SmallModelFolders,
  samples = SAMPLES,
): Promise<SmallModelEvaluation> {
  const options = { contextLength: CONTEXT, maxSequences: BATCH, cacheTokens: BATCH * CONTEXT }
  const floatModel = await loadModel(folders.float, options)
  const float = await evaluateTasks(floatModel, {
    tasks: TASKS,
    samples,
    batchSize: BATCH,
    onProgress: said('the base in float16'),
  }).finally(() => floatModel.dispose())

  const model = await loadModel(folders.quantized, options)
  try {
    const base = await evaluateTasks(model, {
      samples,
      batchSize: BATCH,
      onProgress: said('the base in 4 bits'),
    })
    const prefixes: Partial<Record<PrefixTaskName, TaskEvaluation[]>> = {}
    for (const { name } of PREFIX_TASKS) {
      const prefix = await model.loadPrefix(folders.prefixes[name])
      prefixes[name] = await evaluateTasks(model, {
        tasks: [name, ...TASKS],
        samples,
        prefix,
        batchSize: BATCH,
        onProgress: said(`the prefix ${name}`),
      })
    }
    return { float, base, prefixes: prefixes as SmallModelEvaluation['prefixes'] }
  } finally {
    model.dispose()
  }
}
