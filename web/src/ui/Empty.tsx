// Nothing here yet: what will stand here, and the next step with something to copy.
import type { ReactNode } from 'react'
import { Snippet } from './Copy.tsx'
import styles from './Empty.module.css'

interface EmptyProps {
  icon?: ReactNode
  title: string
  children?: ReactNode
  snippet?: string
  action?: ReactNode
  /** All that the page has: its title is the page's heading. */
  alone?: boolean
}

export function Empty({ icon, title, children, snippet, action, alone }: EmptyProps) {
  const Title = alone ? 'h1' : 'p'
  return (
    <div className={styles.empty}>
      {icon && (
        <div className={styles.icon} aria-hidden>
          {icon}
        </div>
      )}
      <Title className={styles.title}>{title}</Title>
      {children && <div className={styles.text}>{children}</div>}
      {snippet && <Snippet>{snippet}</Snippet>}
      {action}
    </div>
  )
}
