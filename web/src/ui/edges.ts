// Whether something that scrolls sideways goes on: its edge fades there (`base.css`), so that one sees that there is more.
import { type RefObject, useEffect, useRef } from 'react'

export function useEdges<E extends HTMLElement>(): RefObject<E | null> {
  const ref = useRef<E>(null)
  useEffect(() => {
    const element = ref.current
    if (!element) return
    const mark = () => {
      element.toggleAttribute('data-more-before', element.scrollLeft > 1)
      element.toggleAttribute('data-more-after', element.scrollLeft + element.clientWidth < element.scrollWidth - 1)
    }
    // What fills it may come a frame later.
    const frame = requestAnimationFrame(mark)
    const size = new ResizeObserver(mark)
    size.observe(element)
    for (const child of element.children) size.observe(child)
    element.addEventListener('scroll', mark, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      size.disconnect()
      element.removeEventListener('scroll', mark)
    }
  }, [])
  return ref
}
