// Being built.
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'

export default function Stub() {
  const t = useAppTexts()
  return <Page title={t('audiences')}>{null}</Page>
}
