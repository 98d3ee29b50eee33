// What comes in and what goes out: sources, what was refused, and the channels.
import type { Channel, DeadLetter } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { Tabs } from '../../ui/Tabs.tsx'
import { Channels } from './Channels.tsx'
import { DeadLetters } from './DeadLetters.tsx'
import { Sources } from './Sources.tsx'
import { useSourceTexts } from './texts.ts'

const REFRESH_MS = 5_000
type View = 'sources' | 'dead_letters' | 'channels'

export default function SourcesPage() {
  const t = useSourceTexts()
  const app = useAppTexts()
  const [view, setView] = useSearchParam('view', 'sources')
  const letters = useList<DeadLetter>('/dead_letters', {}, { every: REFRESH_MS })
  const channels = useList<Channel>('/channels', {}, { every: REFRESH_MS })
  const waiting = letters.items.filter((letter) => !letter.retried).length
  return (
    <Page title={app('sources')} description={t('sources_are')}>
      <Tabs<View>
        label={t('views')}
        chosen={view === 'dead_letters' || view === 'channels' ? view : 'sources'}
        onChoose={setView}
        views={[
          { key: 'sources', label: t('view_sources'), content: <Sources /> },
          {
            key: 'dead_letters',
            label: t('view_dead_letters'),
            count: waiting > 0 ? waiting : undefined,
            content: <DeadLetters list={letters} />,
          },
          { key: 'channels', label: t('view_channels'), content: <Channels list={channels} /> },
        ]}
      />
    </Page>
  )
}
