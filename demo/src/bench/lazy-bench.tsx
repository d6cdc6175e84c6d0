import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** The page of measurements, fetched when it is first shown. */
export function LazyBench() {
  const [view, setView] = useState<{ readonly Component: ComponentType }>()
  useEffect(() => {
    import('./bench-view.js').then(({ BenchView }) => setView({ Component: BenchView }))
  }, [])
  return view ? <view.Component /> : <div class="view-scroll" aria-busy="true" />
}
