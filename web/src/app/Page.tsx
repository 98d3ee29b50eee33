// A page: its name, what can be done with it as a whole, its content.
import { type ReactNode, useEffect } from 'react'
import { join } from '../ui/class.ts'
import styles from './Page.module.css'

interface PageProps {
  title: string
  /** Instead of the title, when it is more than words. */
  heading?: ReactNode
  /** Where it belongs: a link back to its list. */
  above?: ReactNode
  description?: ReactNode
  actions?: ReactNode
  children: ReactNode
  /** As wide as the window, for canvases. */
  wide?: boolean
}

export function Page({ title, heading, above, description, actions, children, wide }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Faden`
  }, [title])
  return (
    <div className={join(styles.page, wide && styles.wide)}>
      <header className={styles.header}>
        <div className={styles.names}>
          {above && <div className={styles.above}>{above}</div>}
          <h1>{heading ?? title}</h1>
          {description && <p className={styles.description}>{description}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** Search and filters above a list. */
export function Filters({ children }: { children: ReactNode }) {
  return <search className={styles.filters}>{children}</search>
}
