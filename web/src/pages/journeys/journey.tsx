// One journey: live on the canvas, edited as picture and text, its versions side by side.
import { FlaskConical, ListChecks, Pencil } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Problem } from '../../api/client.ts'
import type { Journey } from '../../api/definitions.ts'
import { useGet } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { usePathParam, useSearchParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Badge } from '../../ui/State.tsx'
import { Tabs } from '../../ui/Tabs.tsx'
import { beginDraft, isChanged, useDraft } from './drafts.ts'
import { Editor } from './edit/Editor.tsx'
import styles from './journeys.module.css'
import { Live } from './live/Live.tsx'
import { useJourneyTexts } from './texts.ts'
import { Versions } from './versions/Versions.tsx'

const REFRESH_MS = 2_000
type View = 'live' | 'edit' | 'versions'

export default function JourneyPage() {
  const name = usePathParam('journey')
  const t = useJourneyTexts()
  const app = useAppTexts()
  const [view, setView] = useSearchParam('view', 'live')
  const [panel, setPanel] = useSearchParam('panel')
  const draft = useDraft(name)
  const journey = useGet<Journey>(`/journeys/${encodeURIComponent(name)}`, {}, { every: REFRESH_MS })
  const unknown = journey.error instanceof Problem && journey.error.status === 404
  const [begun, setBegun] = useState(false)
  // Editing begins with what is published; a draft that is there already goes on.
  useEffect(() => {
    if (view === 'edit' && !draft && journey.data && !begun) {
      beginDraft(name, journey.data.file, journey.data.source, journey.data.source)
      setBegun(true)
    }
    if (view !== 'edit') setBegun(false)
  }, [view, draft, journey.data, name, begun])

  const title = journey.data?.title ?? name
  const page = (content: React.ReactNode, actions?: React.ReactNode) => (
    <Page
      wide
      title={title}
      above={<Link href="/journeys">{app('journeys')}</Link>}
      heading={
        <span className="row wrap">
          {title}
          {unknown && draft && <Badge tone="warn">{t('not_published')}</Badge>}
          {!unknown && isChanged(draft) && <Badge tone="warn">{t('unsaved')}</Badge>}
        </span>
      }
      description={journey.data?.description ?? undefined}
      actions={actions}
    >
      {content}
    </Page>
  )

  if (!journey.data && !(unknown && draft)) {
    return page(
      journey.error ? <Failure error={journey.error} onRetry={() => void journey.refetch()} /> : <Skeleton lines={8} />,
    )
  }
  const toggle = (which: string) => setPanel(panel === which ? '' : which)
  const actions = (
    <>
      <Button icon={<FlaskConical />} aria-pressed={panel === 'try'} onPress={() => toggle('try')}>
        {t('try_it')}
      </Button>
      <Button icon={<ListChecks />} aria-pressed={panel === 'scenarios'} onPress={() => toggle('scenarios')}>
        {t('scenarios')}
      </Button>
      {view !== 'edit' && (
        <span className={styles.wideOnly}>
          <Button look="primary" icon={<Pencil />} onPress={() => setView('edit')}>
            {t('edit')}
          </Button>
        </span>
      )}
    </>
  )
  const published = journey.data
  const editor = draft ? <Editor name={name} draft={draft} journey={published} /> : <Skeleton lines={8} />
  if (!published) return page(<div className={styles.only}>{editor}</div>, actions)
  return page(
    <Tabs<View>
      label={t('views')}
      chosen={view === 'edit' || view === 'versions' ? view : 'live'}
      onChoose={setView}
      views={[
        { key: 'live', label: t('view_live'), content: <Live journey={published} /> },
        { key: 'edit', label: t('view_edit'), content: editor },
        {
          key: 'versions',
          label: t('view_versions'),
          count: published.versions.length,
          content: <Versions journey={published} />,
        },
      ]}
    />,
    view === 'versions' ? undefined : actions,
  )
}
