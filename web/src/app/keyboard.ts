// Keys that work everywhere: Ctrl-K finds, `g` and a letter goes, `/` searches the page, `?` helps.
import { useEffect, useRef } from 'react'
import { isForPage } from '../ui/keys.ts'
import { PLACES } from './places.ts'

const CHORD_MS_MAX = 1_200

interface Actions {
  go: (href: string) => void
  find: () => void
  help: () => void
}

export function useKeyboard(actions: Actions) {
  const latest = useRef(actions)
  latest.current = actions
  useEffect(() => {
    let chord_at = Number.NEGATIVE_INFINITY
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        latest.current.find()
        return
      }
      if (!isForPage(event)) return
      if (event.timeStamp - chord_at < CHORD_MS_MAX) {
        chord_at = Number.NEGATIVE_INFINITY
        const place = PLACES.find((each) => each.letter === event.key)
        if (place) {
          // Before the table hears a `j`.
          event.preventDefault()
          event.stopImmediatePropagation()
          latest.current.go(place.href)
          return
        }
      }
      if (event.key === 'g') chord_at = event.timeStamp
      else if (event.key === '?') latest.current.help()
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-page-search]')
        if (!search) return
        event.preventDefault()
        search.focus()
        search.select()
      }
    }
    document.addEventListener('keydown', listen, { capture: true })
    return () => document.removeEventListener('keydown', listen, { capture: true })
  }, [])
}
