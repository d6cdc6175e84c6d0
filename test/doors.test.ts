/** The doors of the package: their names, and that each platform gets through them only what it runs. */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import * as browser from '../src/browser.js'
import * as errors from '../src/errors/index.js'
import * as finetune from '../src/finetune.js'
import * as library from '../src/index.js'
import { buildLibrary } from './build-library.js'

/** What does not belong to running a model goes behind a door of its own. */
const MOST_IN_FRONT = 75

/** All names, so that a change of the public API is seen as one. */
const NAMES: Readonly<Record<string, string>> = {
  index: `
    AdapterError AdapterHandle AdapterInfo AssistantMessage BatchToken BusyError ByteSink ByteSource ChatDelta
    ChatGLMError ChatOptions ChatReply CheckpointError ConstraintOption ConvertOptions ConvertResult
    DeviceChoice DeviceError ERROR_CODES ErrorCode ErrorKind EstimateMemoryOptions GenerateOptions GeneratedToken Generation GenerationStats InputError
    LoadModelOptions LocalModel LogitsOptions MemoryEstimate MemoryFiles MemoryUse
    Message Model ModelConfig OFFICIAL_SAMPLING OptionError PrefixHandle Progress Prompt PythonValue
    ReplySegment SamplingOptions ScoresOptions SinkError SinkLocation SourceError
    SourceLocation SourceOpener SourceOptions Stream TokenLogprob TokenScores Tokenizer ToolCallConstraint VARIANTS
    VariantChoices VariantPreview Variants adapterName convertCheckpoint
    downloadCheckpoint estimateMemory exportGguf exportOnnx hasCode isSoftwareAdapter loadModel parseJson previewVariants pythonJson requestAdapter
    showUrl stringifyJson
  `,
  finetune: `
    Conversation DataLocation DataSettings DatasetHandle Evaluation EvaluationData EvaluationLimits
    EvaluationOptions EvaluationProgress FinetuneLoraOptions FinetuneLoraResult FinetuneModelOptions FinetuneOptions FinetuneResult
    InputOutputSettings LORA LearningRateSchedule LogEntry LoraPreset LoraSettings ModelPreset MultiTurnSettings OptimizationSettings
    PRESETS PlannedMemory Preset PresetName PreviewPart PromptResponse Question ReadDatasetOptions
    ReadOptions RelativeSettings RunOptions SFT Scores SettingsFile SourceRecord StopReason
    TextEncodingName TextMessage ToolMessage TrainingDataset TrainingError TrainingEvent TrainingMessage
    TrainingOutcome TrainingRecord TrainingSample TrainingSettings checkDataset createDataset decodeText
    evaluate finetuneLora finetuneModel finetunePrefix fromAdvertiseGen fromToolAlpaca isOfLora mergeAdapter parseLoraSettings parseModelSettings
    parseQuestion parseRawQuestion parseSettings planTrainingMemory previewSample readDataset
    readEvaluationData readRecords smoothLosses toConversation withData
  `,
  browser: `
    DownloadOptions LoadModelInWorkerOptions ModelStore StoreError StoreOptions StoreProgress StoreUsage
    StoreWorkOptions StoredItem StoredKind StoredOutput WorkerFinetuneOptions WorkerModel
    loadModelInWorker
  `,
  gpus: `
    Card CardPlan EstimateTrainingOptions ExpectedSpeed GpuOptions GpuPlan GpusFinetuneOptions PlanOptions
    StageMemory TrainingMethod finetunePrefixOnGpus listGpus planGpus
  `,
  server: `
    ChatServer CloseOptions ListenOptions RequestRecord ServedModel ServerOptions ServerTimeouts createServer
  `,
}

/** The names that a file exports, all of them written out in `export {}`. */
function namesOf(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  return statements
    .flatMap((statement) =>
      ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)
        ? statement.exportClause.elements.map(({ name }) => name.text)
        : [`unexpected: ${ts.SyntaxKind[statement.kind]}`],
    )
    .sort()
}

const doors = readdirSync('src')
  .filter((name) => /^\w+\.ts$/.test(name))
  .map((name) => name.replace('.ts', ''))

describe('the doors', () => {
  it.each(doors)('%s: all its names', (door) => {
    expect(namesOf(`src/${door}.ts`).join(' ')).toBe(NAMES[door].trim().split(/\s+/).join(' '))
  })

  it(`have at most ${MOST_IN_FRONT} names in front, and each name once`, () => {
    expect(namesOf('src/index.ts').length).toBeLessThanOrEqual(MOST_IN_FRONT)
    const all = doors.flatMap((door) => namesOf(`src/${door}.ts`))
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([])
  })

  it('are those of package.json, each with types', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
    }
    const withTypes = Object.entries(exports).flatMap(([path, to]) =>
      typeof to === 'string' ? [] : [[path, to.types]],
    )
    const expected = doors.map((door) => [door === 'index' ? '.' : `./${door}`, `./dist/types/${door}.d.ts`])
    expect(withTypes.sort()).toEqual(expected.sort())
  })

  it('have the error class of every kind', () => {
    const kinds = Object.values(errors).filter(
      (one) => typeof one === 'function' && Object.getPrototypeOf(one) === errors.ChatGLMError,
    )
    expect(kinds).toHaveLength(Object.keys(errors.ERROR_KINDS).length)
    const exported = [library, finetune, browser].flatMap((door) => Object.values<unknown>(door))
    expect(kinds.filter((kind) => !exported.includes(kind))).toEqual([])
  })
})

describe('the library as it is built', () => {
  let forNode: ReadonlyMap<string, string>
  let forPages: ReadonlyMap<string, string>
  let workers: ReadonlyMap<string, string>
  beforeAll(async () => {
    forNode = await buildLibrary('production')
    workers = new Map([...(await buildLibrary('worker')), ...(await buildLibrary('store-worker'))])
    forPages = new Map([...(await buildLibrary('browser')), ...workers])
  })

  const matching = (files: ReadonlyMap<string, string>, pattern: RegExp) =>
    [...files].flatMap(([name, code]) => [...code.matchAll(pattern)].map(([text]) => `${name}: ${text}`))

  it('for browsers has no Node code', () => {
    // Not the provider of ONNX Runtime that is called "webgpu".
    const code = /node:\w+|(from|import\()\s*['"](webgpu|tar-fs|@sparticuz[^'"]*)['"]|process\.[a-z]+/g
    expect(matching(forPages, code)).toEqual([])
  })

  it('for Node has no browser code', () => {
    expect(matching(forNode, /type: ['"]module['"]|navigator\.storage/g)).toEqual([])
  })

  it('has its workers beside the door that starts them', () => {
    const started = [...forPages.values()].flatMap((code) => [
      ...code.matchAll(/new URL\(['"]\.\/([^'"]+)['"], import\.meta\.url\)/g),
    ])
    expect(started.map(([, file]) => file).sort()).toEqual(['store-worker.js', 'worker.js'])
    for (const [, file] of started) expect([...workers.keys()]).toContain(file)
  })

  it('has workers of one file each, which import nothing', () => {
    expect(workers.size).toBe(2)
    expect(matching(workers, /^import .*|await import\(\s*['"].*/gm)).toEqual([])
  })
})
