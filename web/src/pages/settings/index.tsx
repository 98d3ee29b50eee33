// Settings: keys, roles, and the log of every change.
import { useMe } from '../../api/hooks.ts'
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { Tabs } from '../../ui/Tabs.tsx'
import { AuditLog } from './AuditLog.tsx'
import { Keys } from './Keys.tsx'
import { Roles } from './Roles.tsx'
import { useTexts } from './texts.ts'

export default function Settings() {
  const t = useTexts()
  const app = useAppTexts()
  const me = useMe()
  const [tab, setTab] = useSearchParam('tab', 'keys')
  return (
    <Page title={app('settings')} description={me && t('me', { name: me.name, role: me.role ?? '–' })}>
      <Tabs
        label={t('tabs')}
        chosen={tab}
        onChoose={setTab}
        views={[
          { key: 'keys', label: t('keys'), content: <Keys /> },
          { key: 'roles', label: t('roles'), content: <Roles /> },
          { key: 'audit', label: t('audit'), content: <AuditLog /> },
        ]}
      />
    </Page>
  )
}
