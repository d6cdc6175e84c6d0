import type {
  Evaluation,
  EvaluationData,
  EvaluationOptions,
  FinetuneLoraOptions,
  FinetuneLoraResult,
  FinetuneModelOptions,
  FinetuneResult,
  TrainingDataset,
  TrainingOutcome,
} from '../finetune.js'
import type { GpuOptions, GpusFinetuneOptions } from '../gpus.js'
import type {
  AdapterInfo,
  ConvertOptions,
  ConvertResult,
  LoadModelOptions,
  LocalModel,
  Model,
  VariantPreview,
} from '../index.js'
import type { ChatServer, ServerOptions } from '../server.js'
import { UsageError } from './errors.js'

/** A model as the command uses it; tests give stubs. */
export type CliModel = Omit<Model, 'loadPrefix' | 'unloadPrefix'> & Pick<LocalModel, 'tokenizer'>

/** What touches no model, so that tests need no stubs of it. */
type DataFunctions = Pick<
  typeof import('../index.js') & typeof import('../finetune.js'),
  | 'LORA'
  | 'PRESETS'
  | 'SFT'
  | 'checkDataset'
  | 'decodeText'
  | 'fromAdvertiseGen'
  | 'fromToolAlpaca'
  | 'isOfLora'
  | 'parseJson'
  | 'parseLoraSettings'
  | 'parseModelSettings'
  | 'parseQuestion'
  | 'parseRawQuestion'
  | 'parseSettings'
  | 'previewSample'
  | 'readDataset'
  | 'readEvaluationData'
  | 'readRecords'
  | 'showUrl'
  | 'stringifyJson'
  | 'toConversation'
  | 'withData'
>

/** The part of the library that the command uses; tests give stubs. */
export interface Library extends DataFunctions {
  loadModel(source: string, options: LoadModelOptions & Partial<GpuOptions>): Promise<CliModel>
  listGpus: typeof import('../gpus.js').listGpus
  planGpus: typeof import('../gpus.js').planGpus
  requestAdapter(choice: 'auto' | 'software'): Promise<GPUAdapter>
  adapterName(info: AdapterInfo): string
  isSoftwareAdapter(info: AdapterInfo): boolean
  previewVariants(adapter: GPUAdapter): Promise<VariantPreview>
  convertCheckpoint(source: string, destination: string, options: ConvertOptions): Promise<ConvertResult>
  downloadCheckpoint: typeof import('../index.js').downloadCheckpoint
  exportGguf: typeof import('../index.js').exportGguf
  exportOnnx: typeof import('../index.js').exportOnnx
  mergeAdapter: typeof import('../finetune.js').mergeAdapter
  finetuneLora(
    model: CliModel,
    dataset: TrainingDataset,
    options: FinetuneLoraOptions,
  ): Promise<FinetuneLoraResult>
  finetuneModel(
    model: CliModel,
    dataset: TrainingDataset,
    options: FinetuneModelOptions,
  ): Promise<TrainingOutcome>
  finetunePrefix(
    model: CliModel,
    dataset: TrainingDataset,
    options: GpusFinetuneOptions,
  ): Promise<FinetuneResult>
  evaluate(model: CliModel, data: EvaluationData, options: EvaluationOptions): Promise<Evaluation>
}

/** Imported only when a command needs it: `--help` and wrong options are answered at once. */
export async function loadLibrary(): Promise<Library> {
  const [library, finetune, gpus] = await Promise.all([
    import('../index.js'),
    import('../finetune.js'),
    import('../gpus.js'),
  ])
  const { loadModel } = library
  const { finetuneLora, finetuneModel } = finetune
  return {
    ...library,
    ...finetune,
    ...gpus,
    finetunePrefix: gpus.finetunePrefixOnGpus,
    finetuneModel: (model, dataset, options) => finetuneModel(local(model), dataset, options),
    finetuneLora: (model, dataset, options) => finetuneLora(local(model), dataset, options),
    loadModel: (source, { gpu, ...options }) =>
      gpu === undefined ? loadModel(source, options) : loadModel(source, { ...options, gpu }),
  }
}

/** A model of this process, where its weights are. @throws UsageError for one in processes of their own */
function local(model: CliModel): LocalModel {
  if ('changeWeights' in model) return model as LocalModel
  throw new UsageError(
    'Only prefixes are trained on several GPUs, or on one that this process cannot tell from others: leave --gpu out.',
  )
}

/** The part of a server that the command uses. */
export type ServerHandle = Pick<ChatServer, 'addPrefix' | 'close' | 'listen' | 'models' | 'running'>

/** What makes servers; tests give stubs. */
export interface ServerLibrary {
  createServer(model: CliModel, options: ServerOptions): Promise<ServerHandle>
}

/** Imported only by the command that serves. */
export const loadServer = (): Promise<ServerLibrary> => import('../server.js')
