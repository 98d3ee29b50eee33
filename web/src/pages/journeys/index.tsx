// All journeys: who is inside, what came of it, how it goes.
import { Plus, Route } from 'lucide-react'
import { useState } from 'react'
import type { JourneySummary } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { Filters, Page } from '../../app/Page.tsx'
import { StateOf } from '../../app/StateOf.tsx'
import { STATES, useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { SearchField } from '../../ui/Field.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Sparkline } from '../../ui/Spark.tsx'
import { Badge } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { isChanged, useDrafts } from './drafts.ts'
import styles from './journeys.module.css'
import { NewJourney } from './NewJourney.tsx'
import { fill, STARTERS } from './starters.ts'
import { useJourneyTexts } from './texts.ts'

const REFRESH_MS = 5_000

const FIRST = { name: 'welcome', title: 'Welcome', template: 'hello', audience: 'buyers' }

type Row = JourneySummary & { unsaved: boolean }

export default function Journeys() {
  const t = useJourneyTexts()
  const app = useAppTexts()
  const refusal = useRefusal()
  const [q, setQ] = useSearchParam('q')
  const [creating, setCreating] = useState(false)
  const list = useList<JourneySummary>('/journeys', {}, { every: REFRESH_MS })
  const rows = useRows(list.items, q)
  const create = (
    <Button look="primary" icon={<Plus />} refused={refusal('workspace_write')} onPress={() => setCreating(true)}>
      {t('new_journey')}
    </Button>
  )
  return (
    <Page
      title={app('journeys')}
      description={t('journeys_are')}
      actions={rows.length + list.items.length > 0 && create}
    >
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={6} />
      ) : list.items.length === 0 && rows.length === 0 ? (
        <Empty icon={<Route />} title={t('none_yet')} snippet={STARTERS[0] && fill(STARTERS[0], FIRST)} action={create}>
          {t('none_yet_text')}
        </Empty>
      ) : (
        <>
          <Filters>
            <SearchField label={t('search_journeys')} value={q} onChange={setQ} />
          </Filters>
          <Card flush>
            <Rows rows={rows} />
            {rows.length === 0 && <p className="nothing">{t('nothing_found')}</p>}
          </Card>
        </>
      )}
      {creating && <NewJourney taken={list.items.map((row) => row.journey)} onClose={() => setCreating(false)} />}
    </Page>
  )
}

function useRows(items: readonly JourneySummary[], q: string): Row[] {
  const drafts = useDrafts()
  const wanted = q.toLowerCase()
  const rows = items.map((row) => ({ ...row, unsaved: isChanged(drafts.get(row.journey)) }))
  for (const [journey, draft] of drafts) {
    if (draft.base !== null || items.some((row) => row.journey === journey)) continue
    const zero = { running: 0, entered: 0, converted: 0, completed: 0, exited: 0, goal: 0, has_goal: false, trend: [] }
    rows.push({ journey, title: journey, purpose: '', version: '', state: 'draft', ...zero, unsaved: true })
  }
  return rows.filter((row) => `${row.journey} ${row.title} ${row.purpose}`.toLowerCase().includes(wanted))
}

function Rows({ rows }: { rows: readonly Row[] }) {
  const t = useJourneyTexts()
  const app = useAppTexts()
  const [language] = useLanguage()
  const [sort, setSort] = useSearchParam('sort')
  const number = (value: number) => value.toLocaleString(language === 'en' ? 'en-GB' : language)
  const share = (part: number, whole: number) =>
    whole > 0 ? (part / whole).toLocaleString(language, { style: 'percent', maximumFractionDigits: 1 }) : ''
  const columns: Column<Row>[] = [
    {
      key: 'journey',
      header: t('journey'),
      width: 'minmax(12rem, 2.2fr)',
      narrow: 'minmax(0, 1fr)',
      sort: (row) => row.title,
      cell: (row) => (
        <span className="two">
          <span className="row">
            <span className="clip">{row.title}</span>
            {row.unsaved && <Badge tone="warn">{t('unsaved')}</Badge>}
          </span>
          <span className="second">
            {row.journey}
            {row.purpose && ` · ${row.purpose}`}
          </span>
        </span>
      ),
    },
    {
      key: 'state',
      header: t('state'),
      width: '6rem',
      narrow: false,
      sort: ({ state }) => (STATES[state] ? app(STATES[state].text) : state),
      cell: (row) => <StateOf state={row.state} />,
    },
    {
      key: 'running',
      header: t('inside'),
      width: '6rem',
      align: 'right',
      narrow: '4.5rem',
      sort: (row) => row.running,
      cell: (row) => number(row.running),
    },
    {
      key: 'entered',
      header: t('entered'),
      width: '7rem',
      align: 'right',
      narrow: false,
      sort: (row) => row.entered,
      cell: (row) => number(row.entered),
    },
    {
      key: 'converted',
      header: t('converted'),
      width: '8.5rem',
      align: 'right',
      narrow: false,
      sort: (row) => (row.has_goal ? row.goal : null),
      cell: (row) => (
        <span className={styles.figures}>
          {row.has_goal ? number(row.goal) : <span className="muted">–</span>}{' '}
          <span className="muted">{row.has_goal && share(row.goal, row.entered)}</span>
        </span>
      ),
    },
    {
      key: 'left',
      header: t('left'),
      width: '6.5rem',
      align: 'right',
      narrow: false,
      sort: (row) => row.completed + row.exited,
      cell: (row) => number(row.completed + row.exited),
    },
    {
      key: 'trend',
      header: t('last_24h'),
      width: 'minmax(7rem, 1fr)',
      narrow: false,
      cell: (row) =>
        row.trend.length > 0 ? (
          <Sparkline values={row.trend} label={t('trend_of', { journey: row.title })} />
        ) : (
          <span className="muted">–</span>
        ),
    },
  ]
  return (
    <Table
      main
      label={t('list_label')}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.journey}
      rowHref={(row) =>
        `/journeys/${encodeURIComponent(row.journey)}${row.state === 'draft' && row.version === '' ? '?view=edit' : ''}`
      }
      rowHeight={52}
      sort={sort}
      onSort={setSort}
    />
  )
}
