// Decisions as they happen, before them the newest that there were. They stand still while somebody points at them or
// reads with the keyboard, so that a link can be hit.
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { useGet } from '../api/hooks.ts'
import { useLive } from '../api/stream.ts'
import type { ChainItem, Page } from '../api/types.ts'
import { Card } from '../ui/Card.tsx'
import { Skeleton } from '../ui/Skeleton.tsx'
import { DecisionLine } from './Decision.tsx'
import { useAppTexts } from './texts.ts'

/** `nothing` stands there before the first one. */
export function NewestDecisions({ max, nothing }: { max: number; nothing?: ReactNode }) {
  const t = useAppTexts()
  const live = useLive((live) => live.decisions)
  const before = useGet<Page<ChainItem>>('/decisions', { limit: max }, { fresh: Number.POSITIVE_INFINITY })
  const newest = useMemo(() => {
    const known = new Set(live.map((item) => item.id))
    return [...live, ...(before.data?.items ?? []).filter((item) => !known.has(item.id))].slice(0, max)
  }, [live, before.data, max])
  const [reading, setReading] = useState(false)
  const still = useRef<readonly ChainItem[]>([])
  if (!reading) still.current = newest
  return (
    <Card title={t('newest')} actions={reading ? <span className="muted">{t('paused')}</span> : undefined} flush>
      {still.current.length === 0 && before.isPending ? (
        <Skeleton lines={8} />
      ) : still.current.length === 0 ? (
        (nothing ?? <p className="nothing">{t('newest_none')}</p>)
      ) : (
        <ul
          aria-label={t('newest')}
          onPointerEnter={() => setReading(true)}
          onPointerLeave={() => setReading(false)}
          onFocus={() => setReading(true)}
          onBlur={() => setReading(false)}
        >
          {still.current.map((item) => (
            <DecisionLine key={item.id} item={item} />
          ))}
        </ul>
      )}
    </Card>
  )
}
