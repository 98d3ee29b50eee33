// Explain: ask for any id, or pick one of the newest decisions.
import { BookOpenCheck } from 'lucide-react'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import type { JourneySummary } from '../../api/definitions.ts'
import { useGet, useList } from '../../api/hooks.ts'
import type { ChainItem, Page as PageOf } from '../../api/types.ts'
import { personOf } from '../../app/Decision.tsx'
import { Failure } from '../../app/Loaded.tsx'
import { NewestDecisions } from '../../app/NewestDecisions.tsx'
import { Filters, Page } from '../../app/Page.tsx'
import { hrefOfId, isId } from '../../app/places.ts'
import { useTell } from '../../app/tell.ts'
import { STATES, useAppTexts } from '../../app/texts.ts'
import { useGo, useSearchParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { TextField } from '../../ui/Field.tsx'
import { Link } from '../../ui/Link.tsx'
import { Select } from '../../ui/Select.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './explain.module.css'
import { useTexts } from './texts.ts'

const KINDS: readonly ChainItem['kind'][] = [
  'message',
  'enrolled',
  'step',
  'goal',
  'ended',
  'moved',
  'audience',
  'trait',
  'consent',
  'exposure',
  'emitted',
  'merged',
  'unmerged',
  'left_out',
  'rejected',
]
const OUTCOMES = ['sent', 'suppressed', 'held', 'failed']

export default function Explain() {
  const t = useTexts()
  const app = useAppTexts()
  const [profile] = useSearchParam('profile')
  const [kind, setKind] = useSearchParam('kind')
  const [outcome, setOutcome] = useSearchParam('outcome')
  const [journey, setJourney] = useSearchParam('journey')
  const journeys = useGet<PageOf<JourneySummary>>('/journeys', { limit: 500 }, { fresh: 60_000 })
  const any = { value: '', label: app('all') }
  const filtered = profile !== '' || kind !== '' || journey !== ''
  return (
    <Page title={app('explain')} description={t('intro')}>
      <Ask />
      <Filters>
        <Select
          inline
          label={t('kind')}
          value={kind}
          onChange={(to) => {
            setKind(to)
            setOutcome('')
          }}
          choices={[any, ...KINDS.map((each) => ({ value: each, label: t(`kind_${each}`) }))]}
        />
        {kind === 'message' && (
          <Select
            inline
            label={t('outcome')}
            value={outcome}
            onChange={setOutcome}
            choices={[any, ...OUTCOMES.map((each) => ({ value: each, label: app(STATES[each]?.text ?? 'all') }))]}
          />
        )}
        <Select
          inline
          label={t('journey')}
          value={journey}
          onChange={setJourney}
          choices={[any, ...(journeys.data?.items ?? []).map((each) => ({ value: each.journey, label: each.title }))]}
        />
      </Filters>
      {filtered ? (
        <Chosen filters={{ profile, kind, outcome, journey }} />
      ) : (
        <NewestDecisions max={40} nothing={<Nothing />} />
      )}
    </Page>
  )
}

function Nothing() {
  const t = useTexts()
  return (
    <Empty icon={<BookOpenCheck />} title={t('none')} snippet="faden apply my-shop">
      {t('none_text')}
    </Empty>
  )
}

function Chosen({ filters }: { filters: { profile: string; kind: string; outcome: string; journey: string } }) {
  const t = useTexts()
  const decisions = useList<ChainItem>('/decisions', filters)
  const { profile } = filters
  if (decisions.error) return <Failure error={decisions.error} onRetry={decisions.retry} />
  return (
    <Card
      title={profile ? t('of_person') : t('decisions')}
      actions={profile && <Link href={`/people/${encodeURIComponent(profile)}`}>{profile}</Link>}
      flush
    >
      {decisions.loading ? (
        <Skeleton lines={8} />
      ) : decisions.items.length === 0 ? (
        <Nothing />
      ) : (
        <Decisions items={decisions.items} more={decisions.more} onEnd={decisions.loadMore} />
      )}
    </Card>
  )
}

function Ask() {
  const t = useTexts()
  const go = useGo()
  const [id, setId] = useState('')
  const [wrong, setWrong] = useState(false)
  return (
    <Form
      className={styles.ask}
      onSubmit={(event) => {
        event.preventDefault()
        if (isId(id)) go(hrefOfId(id.trim()))
        else setWrong(true)
      }}
    >
      <TextField
        label={t('ask')}
        placeholder={t('ask_placeholder')}
        value={id}
        error={wrong ? t('not_an_id') : undefined}
        onChange={(text) => {
          setId(text)
          setWrong(false)
        }}
      />
      <Button look="primary" type="submit">
        {t('explain')}
      </Button>
    </Form>
  )
}

function Decisions({ items, more, onEnd }: { items: readonly ChainItem[]; more: boolean; onEnd: () => void }) {
  const t = useTexts()
  const tell = useTell()
  const kindOf = (kind: ChainItem['kind']) => (KINDS.includes(kind) ? t(`kind_${kind}`) : kind)
  const columns: Column<ChainItem>[] = [
    { key: 'what', header: t('what'), width: 'minmax(0, 3fr)', cell: (item) => tell(item) },
    {
      key: 'who',
      header: t('who'),
      width: '9rem',
      narrow: false,
      cell: (item) => <span className="soft">{personOf(item)?.name}</span>,
    },
    {
      key: 'kind',
      header: t('kind'),
      width: '7rem',
      narrow: false,
      cell: (item) => <span className="soft">{kindOf(item.kind)}</span>,
    },
    { key: 'when', header: t('when'), width: '7rem', narrow: '5.5rem', cell: (item) => <Time at={item.at} /> },
  ]
  return (
    <Table
      label={t('decisions')}
      main
      columns={columns}
      rows={items}
      rowKey={(item) => item.id}
      rowHref={(item) => hrefOfId(item.id)}
      more={more}
      onEnd={onEnd}
    />
  )
}
