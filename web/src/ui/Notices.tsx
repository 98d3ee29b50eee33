import { CircleCheck, OctagonAlert } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import styles from './Notices.module.css'
import { currentNotices, onNotices } from './notices.ts'

export function Notices() {
  const notices = useSyncExternalStore(onNotices, currentNotices)
  return (
    <div className={styles.notices} role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className={styles.notice}>
          {notice.tone === 'good' ? <CircleCheck className={styles.good} /> : <OctagonAlert className={styles.bad} />}
          {notice.text}
        </div>
      ))}
    </div>
  )
}
