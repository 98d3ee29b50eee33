// One audience: its rule, its size over time, who is in it, who came and went and why.
import { UsersRound } from 'lucide-react'
import { useMemo } from 'react'
import type { Audience, AudienceChange, AudienceMember } from '../../api/definitions.ts'
import { useGet, useList } from '../../api/hooks.ts'
import { Failure, Loaded } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { usePathParam, useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Card, FactRow, Facts, Figure } from '../../ui/Card.tsx'
import { Chart } from '../../ui/Chart.tsx'
import { Code } from '../../ui/Code.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { State } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Tabs } from '../../ui/Tabs.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './audiences.module.css'
import { useAudienceTexts } from './texts.ts'

const REFRESH_MS = 5_000
type View = 'members' | 'changes' | 'definition'

export default function AudiencePage() {
  const name = usePathParam('audience')
  const t = useAudienceTexts()
  const app = useAppTexts()
  const [view, setView] = useSearchParam('view', 'members')
  const path = `/audiences/${encodeURIComponent(name)}`
  const audience = useGet<Audience>(path, {}, { every: REFRESH_MS })
  return (
    <Page
      title={audience.data?.title || name}
      above={<Link href="/audiences">{app('audiences')}</Link>}
      description={audience.data && <code>{audience.data.condition}</code>}
    >
      <Loaded query={audience} lines={8}>
        {(data) => (
          <>
            <Size audience={data} />
            <Tabs<View>
              label={t('views')}
              chosen={view === 'changes' || view === 'definition' ? view : 'members'}
              onChoose={setView}
              views={[
                { key: 'members', label: t('who_is_in'), content: <Members path={path} /> },
                { key: 'changes', label: t('came_and_went'), content: <Changes path={path} /> },
                { key: 'definition', label: t('definition'), content: <Definition audience={data} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Size({ audience }: { audience: Audience }) {
  const t = useAudienceTexts()
  const [language] = useLanguage()
  const { history } = audience
  const times = useMemo(() => history.map((point) => Date.parse(point.at) / 1000), [history])
  const series = useMemo(
    () => [{ label: t('size'), values: history.map((point) => point.size), fill: true }],
    [history, t],
  )
  const change = audience.size - (history[0]?.size ?? audience.size)
  const signed = change.toLocaleString(language, { signDisplay: 'exceptZero' })
  return (
    <Card>
      <div className={styles.size}>
        <Figure
          label={t('people')}
          value={audience.size.toLocaleString(language === 'en' ? 'en-GB' : language)}
          detail={
            history[0] && (
              <>
                {signed} {t('since')} <Time at={history[0].at} show="date" />
              </>
            )
          }
        />
        {history.length > 1 ? (
          <Chart label={t('size_over_time')} times={times} series={series} height={170} stepped />
        ) : (
          <p className="soft">{t('no_history')}</p>
        )}
      </div>
    </Card>
  )
}

const nameOf = (person: AudienceMember) => person.name || person.identifiers[0]?.value || person.id

function Members({ path }: { path: string }) {
  const t = useAudienceTexts()
  const names = useNames()
  const list = useList<AudienceMember>(`${path}/profiles`)
  const columns: Column<AudienceMember>[] = [
    { key: 'name', header: t('person'), width: 'minmax(10rem, 1fr)', narrow: 'minmax(0, 1fr)', cell: nameOf },
    {
      key: 'ids',
      header: t('identifiers'),
      width: 'minmax(12rem, 1.6fr)',
      narrow: false,
      cell: (row) => (
        <span className="soft">{row.identifiers.map((each) => names.address(each.value)).join(' · ')}</span>
      ),
    },
    {
      key: 'country',
      header: t('country'),
      width: '9rem',
      narrow: false,
      cell: (row) => (row.country ? names.country(row.country) : '–'),
    },
    { key: 'since', header: t('in_since'), width: '9rem', narrow: '7rem', cell: (row) => <Time at={row.since} /> },
  ]
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.loading) return <Skeleton lines={5} />
  if (list.items.length === 0) {
    return (
      <Empty icon={<UsersRound />} title={t('nobody')}>
        {t('nobody_text')}
      </Empty>
    )
  }
  return (
    <Card flush>
      <Table
        main
        label={t('who_is_in')}
        columns={columns}
        rows={list.items}
        rowKey={(row) => row.id}
        rowHref={(row) => `/people/${encodeURIComponent(row.id)}`}
        more={list.more}
        onEnd={list.loadMore}
      />
    </Card>
  )
}

function Changes({ path }: { path: string }) {
  const t = useAudienceTexts()
  const app = useAppTexts()
  const list = useList<AudienceChange>(`${path}/changes`, {}, { every: REFRESH_MS })
  const columns: Column<AudienceChange>[] = [
    {
      key: 'person',
      header: t('person'),
      width: 'minmax(9rem, 1fr)',
      narrow: 'minmax(0, 1fr)',
      cell: (row) => row.user_id || row.profile,
    },
    {
      key: 'change',
      header: t('change'),
      width: '9rem',
      narrow: '7rem',
      cell: (row) => (
        <State tone={row.change === 'entered' ? 'good' : 'idle'}>
          {row.change === 'entered' ? t('came') : t('went')}
        </State>
      ),
    },
    {
      key: 'at',
      header: t('at'),
      width: 'minmax(10rem, 1fr)',
      narrow: false,
      cell: (row) => <Time at={row.at} show="both" />,
    },
    {
      key: 'why',
      header: '',
      width: '5rem',
      narrow: '4rem',
      align: 'right',
      cell: (row) => <Link href={`/explain/${encodeURIComponent(row.decision)}`}>{app('why')}</Link>,
    },
  ]
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.loading) return <Skeleton lines={5} />
  if (list.items.length === 0) {
    return (
      <Empty icon={<UsersRound />} title={t('no_changes')}>
        {t('no_changes_text')}
      </Empty>
    )
  }
  return (
    <Card flush>
      <Table
        main
        label={t('came_and_went')}
        columns={columns}
        rows={list.items}
        rowKey={(row) => `${row.decision}${row.profile}${row.at}`}
        rowHref={(row) => `/people/${encodeURIComponent(row.profile)}`}
        more={list.more}
        onEnd={list.loadMore}
      />
    </Card>
  )
}

function Definition({ audience }: { audience: Audience }) {
  const t = useAudienceTexts()
  return (
    <div className={styles.definition}>
      <Card title={audience.file}>
        <Code label={audience.file} value={audience.source} />
      </Card>
      <Card title={t('computed')}>
        {audience.traits.length > 0 ? (
          <Facts>
            {audience.traits.map((trait) => (
              <FactRow key={trait.name} name={<code>{trait.name}</code>}>
                <code className="soft">{trait.definition}</code>
              </FactRow>
            ))}
          </Facts>
        ) : (
          <p className="soft">{t('no_computed')}</p>
        )}
      </Card>
    </div>
  )
}
