// The consent ledger: every grant and every withdrawal, newest first, with its cause and proof.
import { ShieldCheck } from 'lucide-react'
import type { ConsentEntry } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Filters } from '../../app/Page.tsx'
import { PersonField } from '../../app/PersonField.tsx'
import { StateOf } from '../../app/StateOf.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useSearchParam } from '../../app/url.ts'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { SearchField } from '../../ui/Field.tsx'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './policies.module.css'
import { usePolicyTexts } from './texts.ts'

const REFRESH_MS = 5_000
const example = () => `curl ${window.location.origin}/v1/identify -u WRITE_KEY: \\
  -H 'content-type: application/json' \\
  -d '{"userId": "ada", "context": {"consent": {"categoryPreferences": {"marketing": true}}}}'`
/** The type of the event that brings consent and nothing else. */
const CONSENT_EVENT = 'faden.consent.changed'

const proofOf = (proof: ConsentEntry['proof']): string =>
  proof === null ? '' : typeof proof === 'string' ? proof : JSON.stringify(proof)

export function Ledger() {
  const t = usePolicyTexts()
  const app = useAppTexts()
  const names = useNames()
  const [profile, setProfile] = useSearchParam('profile')
  const [purpose, setPurpose] = useSearchParam('of')
  const list = useList<ConsentEntry>('/consents', { profile, purpose }, { every: REFRESH_MS })
  const columns: Column<ConsentEntry>[] = [
    {
      key: 'person',
      header: t('person'),
      width: 'minmax(8rem, 1fr)',
      narrow: 'minmax(0, 1fr)',
      cell: (row) => row.user_id || row.profile,
    },
    {
      key: 'state',
      header: t('consent'),
      width: '7.5rem',
      cell: (row) => <StateOf state={row.granted ? 'granted' : 'withdrawn'} />,
    },
    {
      key: 'purpose',
      header: t('purpose'),
      width: 'minmax(9rem, 1fr)',
      narrow: false,
      cell: (row) => (
        <>
          {row.purpose} <span className="muted">{row.channel ? names.channel(row.channel) : t('all_channels')}</span>
        </>
      ),
    },
    {
      key: 'cause',
      header: t('cause'),
      width: 'minmax(10rem, 2fr)',
      narrow: false,
      cell: (row) => (
        <span title={proofOf(row.proof)}>
          {row.cause === CONSENT_EVENT ? t('confirmed') : (row.cause ?? '–')}{' '}
          <span className="muted">{proofOf(row.proof)}</span>
        </span>
      ),
    },
    { key: 'at', header: t('when'), width: '8rem', narrow: '6rem', cell: (row) => <Time at={row.at} /> },
    {
      key: 'why',
      header: '',
      width: '4.5rem',
      narrow: false,
      align: 'right',
      cell: (row) => row.decision && <Link href={`/explain/${encodeURIComponent(row.decision)}`}>{app('why')}</Link>,
    },
  ]
  const filtered = profile !== '' || purpose !== ''
  return (
    <div className="stack">
      <Filters>
        <div className={styles.person}>
          <PersonField bare label={t('person')} value={profile} onChange={setProfile} />
        </div>
        <SearchField label={t('purpose')} value={purpose} onChange={setPurpose} />
      </Filters>
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={6} />
      ) : list.items.length === 0 ? (
        filtered ? (
          <Empty icon={<ShieldCheck />} title={t('none_match')} />
        ) : (
          <Empty icon={<ShieldCheck />} title={t('no_consents')} snippet={example()}>
            {t('no_consents_text')}
          </Empty>
        )
      ) : (
        <Card flush>
          <Table
            main
            label={t('view_consents')}
            columns={columns}
            rows={list.items}
            rowKey={(row) => `${row.decision}${row.profile}${row.at}${row.purpose}${row.channel}`}
            rowHref={(row) => `/people/${encodeURIComponent(row.profile)}`}
            more={list.more}
            onEnd={list.loadMore}
          />
        </Card>
      )}
    </div>
  )
}
