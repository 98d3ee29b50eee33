// People: find anyone by anything that is known of him.
import { UserRoundSearch } from 'lucide-react'
import { useDeferredValue } from 'react'
import { useList } from '../../api/hooks.ts'
import type { ProfileSummary } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { SearchField } from '../../ui/Field.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Badge } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { Avatar } from './Avatar.tsx'
import styles from './people.module.css'
import { useTexts } from './texts.ts'

export const nameOf = (person: ProfileSummary): string => person.name || person.identifiers[0]?.value || person.id

export default function People() {
  const t = useTexts()
  const app = useAppTexts()
  const [q, setQ] = useSearchParam('q')
  const columns = useColumns()
  const people = useList<ProfileSummary>('/profiles', { q: useDeferredValue(q.trim()) })
  return (
    <Page title={app('people')}>
      <SearchField label={t('search')} value={q} onChange={setQ} large autoFocus={q === ''} />
      {people.error ? (
        <Failure error={people.error} onRetry={people.retry} />
      ) : (
        <Card flush>
          {people.loading ? (
            <Skeleton lines={8} />
          ) : people.items.length === 0 ? (
            <Nobody searched={q !== ''} />
          ) : (
            <Table
              label={t('list')}
              main
              columns={columns}
              rows={people.items}
              rowKey={(person) => person.id}
              rowHref={(person) => `/people/${encodeURIComponent(person.id)}`}
              more={people.more}
              onEnd={people.loadMore}
              rowHeight={48}
            />
          )}
        </Card>
      )}
    </Page>
  )
}

type Identifier = ProfileSummary['identifiers'][number]
const SHOWN = 3

/** What stands beside the name: of somebody without one, what the name's place does not say already. */
const others = (person: ProfileSummary) => person.identifiers.slice(person.name ? 0 : 1, SHOWN)

function useColumns(): Column<ProfileSummary>[] {
  const t = useTexts()
  const names = useNames()
  const said = (identifier: Identifier) => names.address(identifier.value)
  return [
    {
      key: 'name',
      header: t('name'),
      width: 'minmax(11rem, 1.2fr)',
      narrow: 'minmax(0, 1fr)',
      cell: (person) => (
        <span className={styles.who}>
          <Avatar name={person.name} id={person.id} />
          <span className="two">
            <span className="clip">{nameOf(person)}</span>
            <span className={join('second', styles.narrowOnly)}>{others(person).slice(-1).map(said)}</span>
          </span>
        </span>
      ),
    },
    {
      key: 'identifiers',
      header: t('identifiers'),
      width: 'minmax(0, 2fr)',
      narrow: false,
      cell: (person) => (
        <span className={styles.identifiers}>
          {others(person).length === 0 && person.identifiers[0] && (
            <span className="muted">{names.identifier(person.identifiers[0].kind)}</span>
          )}
          {others(person).map((identifier) => (
            <span
              key={`${identifier.kind} ${identifier.value}`}
              className="clip"
              title={names.identifier(identifier.kind)}
            >
              {said(identifier)}
            </span>
          ))}
          {person.matched && <Badge tone="info">{person.matched}</Badge>}
        </span>
      ),
    },
    {
      key: 'place',
      header: t('place'),
      width: '12rem',
      narrow: false,
      cell: (person) =>
        [person.country && names.country(person.country), person.language && names.language(person.language)]
          .filter(Boolean)
          .join(', ') || <span className="muted">–</span>,
    },
    {
      key: 'seen',
      header: t('last_seen'),
      width: '7rem',
      narrow: '7rem',
      cell: (person) => <Time at={person.last_seen_at} />,
    },
    {
      key: 'first',
      header: t('first_seen'),
      width: '7rem',
      narrow: false,
      cell: (person) => <Time at={person.created_at} />,
    },
  ]
}

const firstPerson = () => `curl ${window.location.origin}/v1/identify -u WRITE_KEY: \\
  -H 'content-type: application/json' \\
  -d '{"userId": "ada", "traits": {"email": "ada@example.com", "first_name": "Ada"}}'`

function Nobody({ searched }: { searched: boolean }) {
  const t = useTexts()
  return (
    <Empty
      icon={<UserRoundSearch />}
      title={searched ? t('none_found') : t('none_yet')}
      snippet={searched ? undefined : firstPerson()}
    >
      {searched ? t('none_found_text') : t('none_yet_text')}
    </Empty>
  )
}
