// The initials of somebody, on a ground that stays the same for the same person.
import { UserRound } from 'lucide-react'
import { join } from '../../ui/class.ts'
import styles from './people.module.css'

const GROUNDS = ['a', 'b', 'c', 'd', 'e'] as const

export function initials(name?: string | null): string {
  const words = (name ?? '').trim().split(/\s+/).filter(Boolean)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '')
  return letters.join('').toLocaleUpperCase()
}

export function Avatar({ name, id, large }: { name?: string | null; id: string; large?: boolean }) {
  const sum = [...id].reduce((total, letter) => total + (letter.codePointAt(0) ?? 0), 0)
  return (
    <span
      aria-hidden
      className={join(styles.avatar, styles[(name && GROUNDS[sum % GROUNDS.length]) || 'e'], large && styles.large)}
    >
      {initials(name) || <UserRound />}
    </span>
  )
}
