// Decisions as they happen. They stand still while somebody points at them or reads with the keyboard, so that a
// link can be hit.
import { useRef, useState } from 'react'
import { useLive } from '../api/stream.ts'
import type { ChainItem } from '../api/types.ts'
import { Card } from '../ui/Card.tsx'
import styles from './Decision.module.css'
import { DecisionLine } from './Decision.tsx'
import { useAppTexts } from './texts.ts'

export function NewestDecisions({ max }: { max: number }) {
  const t = useAppTexts()
  const live = useLive((live) => live.decisions)
  const [reading, setReading] = useState(false)
  const still = useRef<ChainItem[]>([])
  if (!reading) still.current = live.slice(0, max)
  return (
    <Card title={t('newest')} actions={reading ? <span className="muted">{t('paused')}</span> : undefined} flush>
      {still.current.length === 0 ? (
        <p className={styles.none}>{t('newest_none')}</p>
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
