// Per source: how much comes, when it last came, and which events with which properties.
import { Cable } from 'lucide-react'
import { useMemo } from 'react'
import type { Source } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Card, Figure } from '../../ui/Card.tsx'
import { Chart } from '../../ui/Chart.tsx'
import { Snippet } from '../../ui/Copy.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { serverNow } from '../../ui/time.ts'
import styles from './sources.module.css'
import { useSourceTexts } from './texts.ts'

const REFRESH_MS = 10_000
type Kind = Source['kinds'][number]

const firstEvent = () => `curl ${window.location.origin}/v1/track -u WRITE_KEY: \\
  -H 'content-type: application/json' \\
  -d '{"userId": "u1", "event": "Signed Up"}'`

const silentLast = (one: Source, other: Source) => Number(one.last_at === null) - Number(other.last_at === null)

export function Sources() {
  const t = useSourceTexts()
  const list = useList<Source>('/sources', {}, { every: REFRESH_MS })
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.loading) return <Skeleton lines={6} />
  if (list.items.length === 0) {
    return (
      <Empty icon={<Cable />} title={t('none_yet')} snippet={firstEvent()}>
        {t('none_yet_text')}
      </Empty>
    )
  }
  return (
    <div className="stack">
      {list.items.toSorted(silentLast).map((source) => (
        <SourceCard key={source.source} source={source} />
      ))}
    </div>
  )
}

const MINUTE_S = 60

function SourceCard({ source }: { source: Source }) {
  const t = useSourceTexts()
  const [language] = useLanguage()
  const number = (value: number) => value.toLocaleString(language === 'en' ? 'en-GB' : language)
  const minutes = source.events_per_minute
  const times = useMemo(() => {
    const now = Math.floor(serverNow() / 1000 / MINUTE_S) * MINUTE_S
    return minutes.map((_, index) => now - (minutes.length - 1 - index) * MINUTE_S)
  }, [minutes])
  const series = useMemo(() => [{ label: t('per_minute'), values: minutes, fill: true }], [minutes, t])
  if (source.events_total === 0 && source.refused === 0 && source.kinds.length === 0) {
    return (
      <Card title={source.source}>
        <Snippet label={t('nothing_from')}>{firstEvent()}</Snippet>
      </Card>
    )
  }
  return (
    <Card title={source.source}>
      <div className="stack">
        <div className={styles.source}>
          <div className={styles.figures}>
            <Figure
              label={t('total')}
              value={number(source.events_total)}
              detail={source.last_at && <Last at={source.last_at} />}
            />
            <Figure
              label={t('refused')}
              value={number(source.refused)}
              detail={
                source.refused > 0 ? <Link href="/sources?view=dead_letters">{t('look_at_them')}</Link> : undefined
              }
            />
          </div>
          {source.events_total > 0 && minutes.length > 1 && (
            <Chart label={t('volume_of', { source: source.source })} times={times} series={series} height={130} />
          )}
        </div>
        {source.kinds.length > 0 && <Kinds source={source} />}
      </div>
    </Card>
  )
}

function Last({ at }: { at: string }) {
  const t = useSourceTexts()
  return (
    <>
      {t('last')} <Time at={at} />
    </>
  )
}

function Kinds({ source }: { source: Source }) {
  const t = useSourceTexts()
  const [language] = useLanguage()
  const [sort, setSort] = useSearchParam('sort')
  const [open, setOpen] = useSearchParam('event')
  const locale = language === 'en' ? 'en-GB' : language
  const columns: Column<Kind>[] = [
    {
      key: 'name',
      header: t('event'),
      width: 'minmax(9rem, 1.2fr)',
      narrow: 'minmax(0, 1fr)',
      sort: (row) => row.name,
      cell: (row) => row.name,
    },
    {
      key: 'properties',
      header: t('properties'),
      width: 'minmax(12rem, 2fr)',
      narrow: false,
      cell: (row) => <span className="soft">{row.properties.map((property) => property.name).join(', ')}</span>,
    },
    {
      key: 'count',
      header: t('count'),
      width: '7rem',
      narrow: '5.5rem',
      align: 'right',
      sort: (row) => row.count,
      cell: (row) => row.count.toLocaleString(locale),
    },
    {
      key: 'last',
      header: t('last_seen'),
      width: '7rem',
      narrow: false,
      align: 'right',
      sort: (row) => Date.parse(row.last_at),
      cell: (row) => <Time at={row.last_at} />,
    },
  ]
  const key = (row: Kind) => `${source.source}/${row.name}`
  const chosen = source.kinds.find((row) => key(row) === open)
  return (
    <div className={styles.kinds}>
      <Table
        label={t('events_of', { source: source.source })}
        columns={columns}
        rows={source.kinds}
        rowKey={key}
        selected={open}
        onRow={(row) => setOpen(open === key(row) ? '' : key(row))}
        rowHeight={36}
        sort={sort}
        onSort={setSort}
      />
      {chosen && <Properties kind={chosen} />}
    </div>
  )
}

function Properties({ kind }: { kind: Kind }) {
  const t = useSourceTexts()
  const [language] = useLanguage()
  const percent = (share: number) => share.toLocaleString(language, { style: 'percent', maximumFractionDigits: 0 })
  return (
    <section className={styles.properties} aria-label={t('properties_of', { event: kind.name })}>
      <h3>{kind.name}</h3>
      {kind.properties.length === 0 && <p className="soft">{t('no_properties')}</p>}
      <ul>
        {kind.properties.map((property) => (
          <li key={property.name} className={styles.property}>
            <code className="clip">{property.name}</code>
            <span className="soft clip">{property.types.join(' | ')}</span>
            <span className="num muted" title={t('share_means')}>
              {percent(property.share)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
