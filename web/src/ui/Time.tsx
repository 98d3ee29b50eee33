// An instant: relative to read, absolute to check, in one element.
import { useSyncExternalStore } from 'react'
import { useLanguage } from '../i18n.ts'
import { absolute, relative, serverNow } from './time.ts'

const TICK_MS = 15_000
let ticks = 0
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** One clock for all of them, running only while somebody looks. */
function subscribe(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(() => {
    ticks++
    for (const each of listeners) each()
  }, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

interface TimeProps {
  at: string | null | undefined
  /** What stands there; the other one is in the title. `both` writes both. */
  show?: 'relative' | 'absolute' | 'both' | 'clock' | 'date'
}

export function Time({ at, show = 'relative' }: TimeProps) {
  const [language] = useLanguage()
  useSyncExternalStore(subscribe, () => ticks)
  const instant = at ? Date.parse(at) : Number.NaN
  if (Number.isNaN(instant)) return <span className="muted">–</span>
  const ago = relative(instant, serverNow(), language)
  const exact = absolute(instant, language)
  const text =
    show === 'relative' ? ago : show === 'absolute' || show === 'both' ? exact : absolute(instant, language, show)
  return (
    <time className="num" dateTime={at ?? undefined} title={show === 'relative' ? exact : `${exact} · ${ago}`}>
      {show === 'both' ? (
        <>
          <span>{exact} · </span>
          {ago}
        </>
      ) : (
        text
      )}
    </time>
  )
}
