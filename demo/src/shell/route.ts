import { signal } from '@preact/signals'

export const VIEWS = ['chat', 'compare', 'finetune', 'bench', 'storage'] as const
export type View = (typeof VIEWS)[number]

function viewOf(hash: string): View {
  return VIEWS.find((view) => hash === `#/${view}`) ?? 'chat'
}

/** What the page shows, kept in the address. */
export const view = signal<View>(viewOf(location.hash))

addEventListener('hashchange', () => {
  view.value = viewOf(location.hash)
})

export function show(next: View): void {
  location.hash = `#/${next}`
  view.value = next
}
