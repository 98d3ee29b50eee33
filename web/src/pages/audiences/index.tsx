// All audiences: who belongs to them, and how many these are.
import { UsersRound } from 'lucide-react'
import type { AudienceSummary } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { Filters, Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { SearchField } from '../../ui/Field.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { useAudienceTexts } from './texts.ts'

const REFRESH_MS = 5_000
const EXAMPLE = `audience: buyers
title: Has ordered at least once
traits:
  orders: {count: Order Completed}
where: traits.orders >= 1
`

export default function Audiences() {
  const t = useAudienceTexts()
  const app = useAppTexts()
  const [language] = useLanguage()
  const [q, setQ] = useSearchParam('q')
  const [sort, setSort] = useSearchParam('sort')
  const list = useList<AudienceSummary>('/audiences', {}, { every: REFRESH_MS })
  const wanted = q.toLowerCase()
  const rows = list.items.filter((row) =>
    `${row.audience} ${row.title} ${row.condition}`.toLowerCase().includes(wanted),
  )
  const columns: Column<AudienceSummary>[] = [
    {
      key: 'audience',
      header: t('audience'),
      width: 'minmax(13rem, 1fr)',
      narrow: 'minmax(0, 1fr)',
      sort: (row) => row.title || row.audience,
      cell: (row) => (
        <span className="two">
          <span className="clip">{row.title || row.audience}</span>
          <span className="second">{row.audience}</span>
        </span>
      ),
    },
    {
      key: 'condition',
      header: t('condition'),
      width: 'minmax(14rem, 1.6fr)',
      narrow: false,
      cell: (row) => <code className="soft">{row.condition}</code>,
    },
    {
      key: 'size',
      header: t('size'),
      width: '7rem',
      narrow: '4.5rem',
      align: 'right',
      sort: (row) => row.size,
      cell: (row) => row.size.toLocaleString(language === 'en' ? 'en-GB' : language),
    },
  ]
  return (
    <Page title={app('audiences')} description={t('audiences_are')}>
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={6} />
      ) : list.items.length === 0 ? (
        <Empty icon={<UsersRound />} title={t('none_yet')} snippet={EXAMPLE}>
          {t('none_yet_text')}
        </Empty>
      ) : (
        <>
          <Filters>
            <SearchField label={t('search')} value={q} onChange={setQ} />
          </Filters>
          <Card flush>
            <Table
              main
              label={app('audiences')}
              columns={columns}
              rows={rows}
              rowKey={(row) => row.audience}
              rowHref={(row) => `/audiences/${encodeURIComponent(row.audience)}`}
              rowHeight={52}
              sort={sort}
              onSort={setSort}
            />
            {rows.length === 0 && <p className="nothing">{t('nothing_found')}</p>}
          </Card>
        </>
      )}
    </Page>
  )
}
