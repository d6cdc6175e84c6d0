import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** A view that is fetched when it is first shown. */
export function lazy(fetch: () => Promise<ComponentType>): ComponentType {
  return function Lazy() {
    const [view, setView] = useState<{ readonly Component: ComponentType }>()
    useEffect(() => {
      fetch().then((Component) => setView({ Component }))
    }, [])
    return view ? <view.Component /> : <div class="view-scroll" aria-busy="true" />
  }
}
