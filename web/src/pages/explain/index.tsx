// Explain: ask for any id, or pick one of the newest decisions.
import { BookOpenCheck } from 'lucide-react'
import { useState } from 'react'
import { Form } from 'react-aria-components'
import { useList } from '../../api/hooks.ts'
import type { ChainItem } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { NewestDecisions } from '../../app/NewestDecisions.tsx'
import { Page } from '../../app/Page.tsx'
import { hrefOfId, isId } from '../../app/places.ts'
import { useTell } from '../../app/tell.ts'
import { useAppTexts } from '../../app/texts.ts'
import { useGo, useSearchParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { TextField } from '../../ui/Field.tsx'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './explain.module.css'
import { useTexts } from './texts.ts'

export default function Explain() {
  const t = useTexts()
  const app = useAppTexts()
  const [profile] = useSearchParam('profile')
  return (
    <Page title={app('explain')} description={t('intro')}>
      <Ask />
      {profile ? <OfPerson profile={profile} /> : <NewestDecisions max={40} />}
    </Page>
  )
}

function OfPerson({ profile }: { profile: string }) {
  const t = useTexts()
  const decisions = useList<ChainItem>('/decisions', { profile })
  if (decisions.error) return <Failure error={decisions.error} onRetry={decisions.retry} />
  return (
    <Card title={t('of_person')} actions={<Link href={`/people/${encodeURIComponent(profile)}`}>{profile}</Link>} flush>
      {decisions.loading ? (
        <Skeleton lines={8} />
      ) : decisions.items.length === 0 ? (
        <Empty icon={<BookOpenCheck />} title={t('none')} snippet="faden apply my-shop">
          {t('none_text')}
        </Empty>
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
  const columns: Column<ChainItem>[] = [
    { key: 'what', header: t('what'), width: 'minmax(0, 3fr)', cell: (item) => tell(item) },
    {
      key: 'kind',
      header: t('kind'),
      width: '7rem',
      narrow: false,
      cell: (item) => <span className="soft">{item.kind}</span>,
    },
    { key: 'when', header: t('when'), width: '7rem', narrow: '5.5rem', cell: (item) => <Time at={item.at} /> },
  ]
  return (
    <Table
      label={t('of_person')}
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
