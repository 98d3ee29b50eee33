// How well messages arrive: by channel, provider, country and template.
import { Truck } from 'lucide-react'
import type { MessageStats, StatsBy } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import type { MessageState } from '../../api/types.ts'
import { arrivedShare } from '../../app/delivery.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Filters } from '../../app/Page.tsx'
import { STATES, shareTone, useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Select } from '../../ui/Select.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Legend, type Share, Shares } from '../../ui/Spark.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { useMessageTexts } from './texts.ts'

/** In the order in which a bar shows them. */
const SHOWN: readonly MessageState[] = ['read', 'delivered', 'sent', 'queued', 'held', 'failed', 'suppressed']
const REFRESH_MS = 5_000
const LONGEST = '720'
const BY: StatsBy[] = ['channel', 'provider', 'country', 'template']

/** What was stopped before it had a channel, a provider or a country. */
const withoutKeyLast = (one: MessageStats, other: MessageStats) => Number(one.key === '') - Number(other.key === '')

/** What was read had been delivered before. */
const countOf = (row: MessageStats, state: 'delivered' | 'failed' | 'suppressed') =>
  (row[state] ?? 0) + (state === 'delivered' ? (row.read ?? 0) : 0)

export function Delivery() {
  const t = useMessageTexts()
  const app = useAppTexts()
  const names = useNames()
  const [language] = useLanguage()
  const locale = language === 'en' ? 'en-GB' : language
  const [by, setBy] = useSearchParam('by', 'channel')
  const [hours, setHours] = useSearchParam('hours', '24')
  const [sort, setSort] = useSearchParam('sort')
  const list = useList<MessageStats>('/messages/stats', { by, hours }, { every: REFRESH_MS })
  const sharesOf = (row: MessageStats): Share[] =>
    SHOWN.map((state) => ({
      key: state,
      label: app(STATES[state]?.text ?? 'queued'),
      value: row[state] ?? 0,
      tone: shareTone(state),
    }))
  const nameOf = (key: string) => (by === 'channel' ? names.channel(key) : by === 'country' ? names.country(key) : key)
  const columns: Column<MessageStats>[] = [
    {
      key: 'key',
      header: t(`by_${by as StatsBy}`),
      width: 'minmax(8rem, 1fr)',
      narrow: 'minmax(0, 1fr)',
      sort: (row) => (row.key ? nameOf(row.key) : null),
      cell: (row) => (row.key ? nameOf(row.key) : <span className="muted">{t('none_chosen')}</span>),
    },
    {
      key: 'rate',
      header: t('arrived'),
      width: '6.5rem',
      narrow: '5.6rem',
      align: 'right',
      sort: (row) => arrivedShare([row]).share,
      cell: (row) => {
        const { share } = arrivedShare([row])
        return share === null ? '–' : share.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 1 })
      },
    },
    {
      key: 'shares',
      header: t('states'),
      width: 'minmax(10rem, 2fr)',
      narrow: false,
      cell: (row) => <Shares shares={sharesOf(row)} label={row.key} legend={false} />,
    },
    ...(['delivered', 'failed', 'suppressed'] as const).map(
      (state): Column<MessageStats> => ({
        key: state,
        header: app(STATES[state]?.text ?? 'queued'),
        width: '7rem',
        align: 'right',
        narrow: state === 'failed' ? '6.4rem' : false,
        sort: (row) => countOf(row, state),
        cell: (row) => countOf(row, state).toLocaleString(locale),
      }),
    ),
  ]
  return (
    <div className="stack">
      <Filters>
        <Select
          inline
          label={t('by')}
          value={by}
          onChange={setBy}
          choices={BY.map((each) => ({ value: each, label: t(`by_${each}`) }))}
        />
        <Select
          inline
          label={t('range')}
          value={hours}
          onChange={setHours}
          choices={(['1', '24', '168', '720'] as const).map((each) => ({ value: each, label: t(`hours_${each}`) }))}
        />
      </Filters>
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={5} />
      ) : list.items.length === 0 ? (
        <Empty
          icon={<Truck />}
          title={t('nothing_in_range')}
          action={
            hours === LONGEST ? undefined : <Button onPress={() => setHours(LONGEST)}>{t('look_at_30_days')}</Button>
          }
        >
          {t('nothing_in_range_text')}
        </Empty>
      ) : (
        <Card title={t('view_delivery')} actions={<Legend shares={sharesOf({ key: '' })} />} flush>
          <Table
            main
            label={t('view_delivery')}
            columns={columns}
            rows={list.items.toSorted(withoutKeyLast)}
            rowKey={(row) => row.key}
            sort={sort}
            onSort={setSort}
          />
        </Card>
      )}
    </div>
  )
}
