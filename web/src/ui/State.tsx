// A state as a coloured dot and a word; a badge when it needs a ground of its own. Colour never stands alone.
import type { ReactNode } from 'react'
import { join } from './class.ts'
import styles from './State.module.css'

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'idle'

export function State({ tone, children, pulse }: { tone: Tone; children: ReactNode; pulse?: boolean }) {
  return (
    <span className={join(styles.state, styles[tone])}>
      <span className={join(styles.dot, pulse && styles.pulse)} aria-hidden />
      <span className="clip">{children}</span>
    </span>
  )
}

export function Badge({ tone = 'idle', children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={join(styles.badge, styles[tone])} title={title}>
      {children}
    </span>
  )
}
