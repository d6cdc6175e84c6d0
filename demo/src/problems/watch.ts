import { effect, signal } from '@preact/signals'
import { isAnswering } from '../chat/session.js'
import { keepsConversations } from '../conversation/store.js'
import { strings } from '../i18n/index.js'
import { showToast } from '../shell/toast.js'
import { keepsModels } from '../storage/store.js'
import { dismissKind, problems } from './problems.js'

/** Whether the page was in the background since the last answer began. */
export const wasHidden = signal(false)

async function checkGpu(): Promise<void> {
  if (!('gpu' in navigator)) {
    problems.value = [...problems.value, { kind: 'noWebGpu', details: '' }]
  } else if (!(await navigator.gpu.requestAdapter().catch(() => null))) {
    problems.value = [...problems.value, { kind: 'noAdapter', details: '' }]
  }
}

/** Says in advance what will not work here, and tells afterwards why something was slow. */
export function watchProblems(): void {
  checkGpu()
  effect(() => {
    if (keepsConversations.value !== false && keepsModels.value !== false) return
    if (problems.peek().every(({ kind }) => kind !== 'noStorage')) {
      problems.value = [...problems.peek(), { kind: 'noStorage', details: '' }]
    }
  })
  addEventListener('online', () => dismissKind('offline'))
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) wasHidden.value = isAnswering.peek()
    else if (wasHidden.peek() && isAnswering.peek()) showToast(strings.peek().chat.background)
  })
  effect(() => {
    const { name } = strings.value.app
    document.title = isAnswering.value ? `… ${name}` : `${name} · WebGPU`
  })
}
