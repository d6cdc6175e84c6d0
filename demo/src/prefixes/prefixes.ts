import { computed, signal } from '@preact/signals'
import type { SourceLocation } from '../../../src/index.js'
import { changeSettings } from '../conversation/store.js'
import { strings } from '../i18n/index.js'
import { smallModelAnswers } from '../model/model.js'
import { SHIPPED_PREFIXES } from '../model/shipped.js'
import { report } from '../problems/problems.js'
import { showToast } from '../shell/toast.js'
import { keepsModels, openStore, refreshStore, storedItems } from '../storage/store.js'

/** Prefixes of a window that keeps nothing, by name. */
const temporary = signal<ReadonlyMap<string, readonly File[]>>(new Map())

/** The names of prefixes that the user brought or trained. */
const ownNames = computed(() => [
  ...storedItems.value.filter(({ kind }) => kind === 'prefix').map(({ name }) => name),
  ...temporary.value.keys(),
])

/** Prefixes that come with the model in use, or with the small one where none is chosen yet. */
const shippedNames = computed(() => (smallModelAnswers.value ? SHIPPED_PREFIXES : []))

/** The names of all prefixes that there are. */
export const prefixNames = computed(() => [...new Set([...shippedNames.value, ...ownNames.value])])

/** Whether a name means one of the small model's own prefixes; the user's go before these. */
export function isShippedPrefix(name: string): boolean {
  return shippedNames.value.includes(name) && !ownNames.value.includes(name)
}

/** The files of a prefix that is not stored. */
export function temporaryPrefix(name: string): SourceLocation | undefined {
  return temporary.value.get(name)
}

/** A name that is not taken: that of the folder, or of the file. */
function nameOf(files: readonly File[]): string {
  const [first] = files
  const folder = first.webkitRelativePath.split('/').at(-2)
  const base = (folder || first.name.replace(/\.\w+$/, '')).slice(0, 60)
  const taken = prefixNames.value
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base} ${number}`
    if (!taken.includes(name)) return name
  }
}

/** Files of a checkpoint that a prefix may be in; the trainer's state beside them is large and of no use here. */
const isWanted = ({ name }: File) =>
  /\.(bin|safetensors|json)$/.test(name) && !/optimizer|rng_state|scheduler/.test(name)

/** Takes a prefix that was trained in a window that keeps nothing. */
export function addTemporaryPrefix(name: string, files: readonly File[]): void {
  temporary.value = new Map(temporary.value).set(name, files)
}

/** Stores a prefix, and uses it in the shown conversation. */
export async function addPrefix(files: readonly File[]): Promise<void> {
  const wanted = files.filter(isWanted)
  const chosen = wanted.length > 0 ? wanted : files
  if (chosen.length === 0) return
  const name = nameOf(chosen)
  const t = strings.value.prefixes
  try {
    if (keepsModels.value) {
      showToast(t.storing(name))
      await (await openStore()).add(name, chosen, 'prefix')
      await refreshStore()
      showToast(t.added(name))
    } else {
      addTemporaryPrefix(name, chosen)
      showToast(t.notStored)
    }
    changeSettings({ prefix: { name, strength: 1 } })
  } catch (error) {
    report(error)
  }
}
