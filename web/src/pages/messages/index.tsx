// All messages: what went out and what did not, how well it arrives, and how templates look.
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { Tabs } from '../../ui/Tabs.tsx'
import { Delivery } from './Delivery.tsx'
import { MessageList } from './MessageList.tsx'
import { Templates } from './Templates.tsx'
import { useMessageTexts } from './texts.ts'

type View = 'list' | 'delivery' | 'templates'

export default function Messages() {
  const t = useMessageTexts()
  const app = useAppTexts()
  const [view, setView] = useSearchParam('view', 'list')
  return (
    <Page title={app('messages')} description={t('messages_are')}>
      <Tabs<View>
        label={t('views')}
        chosen={view === 'delivery' || view === 'templates' ? view : 'list'}
        onChoose={setView}
        views={[
          { key: 'list', label: t('view_list'), content: <MessageList /> },
          { key: 'delivery', label: t('view_delivery'), content: <Delivery /> },
          { key: 'templates', label: t('view_templates'), content: <Templates /> },
        ]}
      />
    </Page>
  )
}
