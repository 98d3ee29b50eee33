// A framed part of a page with a heading of its own.
import { type ReactNode, useId } from 'react'
import styles from './Card.module.css'
import { join } from './class.ts'

interface CardProps {
  title?: ReactNode
  /** Stands at the heading's right. */
  actions?: ReactNode
  /** Content up to the frame, as a table wants it. */
  flush?: boolean
  children: ReactNode
  className?: string
}

export function Card({ title, actions, flush, children, className }: CardProps) {
  const id = useId()
  return (
    <section className={join(styles.card, className)} aria-labelledby={title ? id : undefined}>
      {(title || actions) && (
        <header className={styles.header}>
          <h2 id={id}>{title}</h2>
          {actions}
        </header>
      )}
      <div className={flush ? styles.flush : styles.body}>{children}</div>
    </section>
  )
}

/** Names and values, as a person's master data or a decision's facts. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>
}
export function FactRow({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** One figure that is read from afar. */
export function Figure({ label, value, detail }: { label: ReactNode; value: ReactNode; detail?: ReactNode }) {
  return (
    <div className={styles.figure}>
      <div className={styles.figureLabel}>{label}</div>
      <div className={styles.figureValue}>{value}</div>
      {detail && <div className={styles.figureDetail}>{detail}</div>}
    </div>
  )
}
