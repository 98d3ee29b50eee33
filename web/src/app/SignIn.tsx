// Nobody is signed in: how to get in.
import { Empty } from '../ui/Empty.tsx'
import { Mark } from '../ui/Mark.tsx'
import styles from './Shell.module.css'
import { useAppTexts } from './texts.ts'

export function SignIn() {
  const t = useAppTexts()
  return (
    <main className={styles.alone}>
      <Empty alone icon={<Mark className={styles.mark} />} title={t('sign_in')} snippet="faden login">
        <p>{t('sign_in_text')}</p>
      </Empty>
    </main>
  )
}
