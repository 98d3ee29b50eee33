// The room that something takes while it loads.
import styles from './Skeleton.module.css'
import { useUiTexts } from './texts.ts'

export function Skeleton({ lines = 3 }: { lines?: number }) {
  const t = useUiTexts()
  return (
    <div className={styles.skeleton} data-skeleton="" role="status" aria-label={t('loading')}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className={styles.line} />
      ))}
    </div>
  )
}
