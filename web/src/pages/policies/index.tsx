// Rules and consent: what holds where, whether something may go out now, and who agreed to what.
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { Tabs } from '../../ui/Tabs.tsx'
import { Checker } from './Checker.tsx'
import { Ledger } from './Ledger.tsx'
import { Rules } from './Rules.tsx'
import { usePolicyTexts } from './texts.ts'

type View = 'rules' | 'check' | 'consents'

export default function PoliciesPage() {
  const t = usePolicyTexts()
  const app = useAppTexts()
  const [view, setView] = useSearchParam('view', 'rules')
  return (
    <Page title={app('policies')} description={t('policies_are')}>
      <Tabs<View>
        label={t('views')}
        chosen={view === 'check' || view === 'consents' ? view : 'rules'}
        onChoose={setView}
        views={[
          { key: 'rules', label: t('view_rules'), content: <Rules /> },
          { key: 'check', label: t('view_check'), content: <Checker /> },
          { key: 'consents', label: t('view_consents'), content: <Ledger /> },
        ]}
      />
    </Page>
  )
}
