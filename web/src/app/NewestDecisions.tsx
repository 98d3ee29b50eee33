// Decisions as they happen; until the first one comes, the newest messages. They stand still while somebody points
// at them or reads with the keyboard, so that a link can be hit.
import { useMemo, useRef, useState } from 'react'
import { useGet } from '../api/hooks.ts'
import { useLive } from '../api/stream.ts'
import type { ChainItem, Message, Page } from '../api/types.ts'
import { Card } from '../ui/Card.tsx'
import styles from './Decision.module.css'
import { DecisionLine } from './Decision.tsx'
import { useAppTexts } from './texts.ts'

const ASK_EVERY_MS = 3_000

export function NewestDecisions({ max }: { max: number }) {
  const t = useAppTexts()
  const live = useLive((live) => live.decisions)
  const quiet = live.length === 0
  const messages = useGet<Page<Message>>('/messages', { limit: max }, { enabled: quiet, every: ASK_EVERY_MS })
  const newest = useMemo(
    () => (quiet ? (messages.data?.items ?? []).map(decisionOf) : live.slice(0, max)),
    [quiet, messages.data, live, max],
  )
  const [reading, setReading] = useState(false)
  const still = useRef<readonly ChainItem[]>([])
  if (!reading) still.current = newest
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

/** A message as the decision it was. */
function decisionOf(message: Message): ChainItem {
  const silent = message.state === 'suppressed' || message.state === 'held' || message.state === 'failed'
  return {
    id: message.id,
    at: message.at,
    kind: 'message',
    sentence: message.template,
    facts: [],
    checks: [],
    data: { ...message, kind: 'message', outcome: silent ? message.state : 'sent', reason: message.code },
  }
}
