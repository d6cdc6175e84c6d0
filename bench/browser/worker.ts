/** The benchmarks in a Web Worker: the same measurements as `npm run bench`, fewer of them. */
import { ChatGLMError } from '../../src/index.js'
import { measureCeilings } from '../ceilings/ceilings.js'
import { type Gpu, openGpu } from '../common/internals.js'
import { PassTimer, QUICK, THOROUGH } from '../common/pass-timer.js'
import type { CaseShapes, KernelCase, KernelFamily } from '../kernels/kernel-case.js'
import { measureKernel } from '../kernels/measure.js'
import { KERNEL_FAMILIES } from '../kernels/registry.js'
import type { KernelReport } from '../kernels/report.js'
import { Conversation } from '../model/conversation.js'
import { type MeasureOptions, measureDecode, measureFirstToken, measurePrefill } from '../model/measure.js'
import { openModel } from '../model/open-model.js'
import type { ModelReport } from '../model/report.js'
import { CHATGLM3_6B, TINY } from '../model/shapes.js'
import { describeBrowser } from './environment.js'
import type { BenchEvent, BenchRequest, BenchStage } from './protocol.js'

const SEED = 1

interface Plan extends MeasureOptions {
  readonly prompts: readonly number[]
  readonly contexts: readonly number[]
  readonly contextLength: number
  readonly families: readonly string[]
  readonly groupSize: number
  readonly shapes: Pick<CaseShapes, 'chunks' | 'contexts'>
}

const PLANS: Readonly<Record<BenchRequest['shape'], Plan>> = {
  tiny: {
    prompts: [16, 32, 64],
    contexts: [16, 48, 96],
    contextLength: 128,
    families: ['elementwise', 'sampling'],
    groupSize: 32,
    shapes: { chunks: [16], contexts: [48] },
    repetitions: 3,
    tokens: 8,
    warmUpSeconds: 0.2,
    budgetSeconds: 4,
  },
  'chatglm3-6b': {
    prompts: [128, 512, 1024, 2048],
    contexts: [128, 1024, 2048, 4096],
    contextLength: 4608,
    families: ['fused-decode-linear', 'decode-attention', 'elementwise', 'sampling'],
    groupSize: 64,
    shapes: { chunks: [512], contexts: [128, 2048] },
    repetitions: 5,
    tokens: 64,
    warmUpSeconds: 0.3,
    budgetSeconds: 10,
  },
}

const post = (event: BenchEvent) => postMessage(event)
const stage = (name: BenchStage, of = '', share = 0) => post({ type: 'stage', stage: name, name: of, share })

function casesOf(gpu: Gpu, { shape }: BenchRequest): KernelCase[] {
  const { families, groupSize, shapes } = PLANS[shape]
  const all: CaseShapes = { ...(shape === 'tiny' ? TINY : CHATGLM3_6B), groupSize, ...shapes }
  return families.flatMap((name) => (KERNEL_FAMILIES[name] as KernelFamily)(gpu, all))
}

async function measureKernels(
  gpu: Gpu,
  timer: PassTimer,
  request: BenchRequest,
  base: Pick<KernelReport, 'environment' | 'ceilings'>,
): Promise<void> {
  const report = {
    kind: 'kernels',
    version: 1,
    ...base,
    clock: timer.source,
    kernels: [] as KernelReport['kernels'][number][],
    failures: [] as KernelReport['failures'][number][],
  } as const
  const cases = casesOf(gpu, request)
  for (const [index, one] of cases.entries()) {
    const name = [one.kernel, one.variant, one.shape].filter(Boolean).join(' ')
    stage('kernels', name, index / cases.length)
    try {
      report.kernels.push(await measureKernel(gpu, timer, base.ceilings, one, SEED + index))
    } catch (error) {
      gpu.check()
      report.failures.push({ case: name, problem: error instanceof Error ? error.message : String(error) })
    }
    post({ type: 'kernels', report })
  }
}

async function measureModel(
  gpu: Gpu,
  { shape }: BenchRequest,
  base: Pick<ModelReport, 'environment' | 'ceilings'>,
): Promise<void> {
  const plan = PLANS[shape]
  stage('prepare')
  const { engine, facts } = await openModel(gpu, {
    shape,
    bits: 4,
    groupSize: plan.groupSize,
    contextLength: plan.contextLength,
    activations: 'int8',
    seed: SEED,
  })
  const conversation = new Conversation(engine, SEED)
  const report = {
    kind: 'model',
    version: 1,
    ...base,
    model: facts,
    seed: SEED,
    prefill: [] as ModelReport['prefill'][number][],
    decode: [] as ModelReport['decode'][number][],
    firstToken: [] as ModelReport['firstToken'][number][],
    memory: { ...gpu.memory, total: gpu.total },
    profile: [],
  } as const
  for (const [index, tokens] of plan.prompts.entries()) {
    stage('prefill', String(tokens), index / plan.prompts.length)
    report.prefill.push(await measurePrefill(conversation, tokens, plan))
    post({ type: 'model', report })
  }
  report.firstToken.push(await measureFirstToken(conversation, plan.prompts[1], plan))
  // From the longest to the shortest, so that the cache holds each one's tokens already.
  for (const [index, context] of plan.contexts.toReversed().entries()) {
    stage('decode', String(context), index / plan.contexts.length)
    report.decode.push(await measureDecode(conversation, context, plan))
    post({ type: 'model', report })
  }
}

async function run(request: BenchRequest): Promise<void> {
  stage('device')
  const gpu = await openGpu()
  const timer = new PassTimer(gpu, request.shape === 'tiny' ? QUICK : THOROUGH)
  stage('ceilings')
  const base = { environment: describeBrowser(gpu), ceilings: await measureCeilings(gpu, timer) }
  post({ type: 'ceilings', ceilings: base.ceilings })
  if (request.parts.includes('kernels')) await measureKernels(gpu, timer, request, base)
  if (request.parts.includes('model')) await measureModel(gpu, request, base)
  timer.dispose()
  gpu.dispose()
  post({ type: 'done' })
}

addEventListener('message', ({ data }) => {
  run(data as BenchRequest).catch((error: unknown) => {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) }
    post({ type: 'failed', name, message, ...(error instanceof ChatGLMError && { code: error.code }) })
  })
})
