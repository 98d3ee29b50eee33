// A page that is not there, and one that broke.
import { Compass, OctagonAlert } from 'lucide-react'
import { Button } from '../ui/Button.tsx'
import { Empty } from '../ui/Empty.tsx'
import { Link } from '../ui/Link.tsx'
import { useAppTexts } from './texts.ts'

export function NotFound() {
  const t = useAppTexts()
  return (
    <Empty alone icon={<Compass />} title={t('not_found')} action={<Link href="/">{t('go_today')}</Link>}>
      {t('not_found_text')}
    </Empty>
  )
}

export function Broken({ error }: { error: unknown }) {
  const t = useAppTexts()
  return (
    <Empty
      alone
      icon={<OctagonAlert />}
      title={t('failed')}
      snippet={error instanceof Error ? error.message : String(error)}
      action={<Button onPress={() => window.location.reload()}>{t('reload')}</Button>}
    >
      {t('failed_text')}
    </Empty>
  )
}
