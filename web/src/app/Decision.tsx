// One decision in a list: what was decided, when, and one press to why.
import {
  Bell,
  CircleSlash,
  Flag,
  GitBranch,
  Link2,
  MessageSquareText,
  ShieldCheck,
  Tag,
  UsersRound,
} from 'lucide-react'
import type { ReactNode } from 'react'
import type { ChainItem } from '../api/types.ts'
import { Link } from '../ui/Link.tsx'
import { Time } from '../ui/Time.tsx'
import styles from './Decision.module.css'
import { useTell } from './tell.ts'
import { useAppTexts } from './texts.ts'

/** A picture for each kind of decision, by the first word of its name. */
export function iconOf(kind: string): ReactNode {
  if (/^message/.test(kind)) return <MessageSquareText aria-hidden />
  if (/^audience/.test(kind)) return <UsersRound aria-hidden />
  if (/^consent/.test(kind)) return <ShieldCheck aria-hidden />
  if (/^(merged|unmerged|left_out|identity)/.test(kind)) return <Link2 aria-hidden />
  if (/^(goal|ended)/.test(kind)) return <Flag aria-hidden />
  if (/^(trait|emitted|exposure)/.test(kind)) return <Tag aria-hidden />
  if (/^rejected/.test(kind)) return <CircleSlash aria-hidden />
  if (/^event/.test(kind)) return <Bell aria-hidden />
  return <GitBranch aria-hidden />
}

/** Whom a decision is about: the id for the link, the name for the reader. */
export function personOf(item: ChainItem): { id: string; name: string } | null {
  const { profile, user_id } = item.data
  if (typeof profile !== 'string') return null
  return { id: profile, name: typeof user_id === 'string' && user_id !== '' ? user_id : profile }
}

export function DecisionLine({ item }: { item: ChainItem }) {
  const t = useAppTexts()
  const tell = useTell()
  const person = personOf(item)
  return (
    <li className={styles.line}>
      <span className={styles.icon}>{iconOf(item.kind)}</span>
      <span className={styles.sentence}>
        {tell(item)}{' '}
        <span className={styles.about}>
          {person && (
            <Link href={`/people/${encodeURIComponent(person.id)}`} className={styles.person}>
              {person.name}
            </Link>
          )}
          <Time at={item.at} show="clock" />
          <Link href={`/explain/${encodeURIComponent(item.id)}`}>{t('why')}</Link>
        </span>
      </span>
    </li>
  )
}
