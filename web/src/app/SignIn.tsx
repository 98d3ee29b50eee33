// Nobody is signed in: how to get in.
import { LogIn } from 'lucide-react'
import { Empty } from '../ui/Empty.tsx'
import styles from './Shell.module.css'
import { useAppTexts } from './texts.ts'

export function SignIn() {
  const t = useAppTexts()
  return (
    <main className={styles.alone}>
      <Empty icon={<LogIn />} title={t('sign_in')} snippet="faden login">
        <p>{t('sign_in_text')}</p>
      </Empty>
    </main>
  )
}
