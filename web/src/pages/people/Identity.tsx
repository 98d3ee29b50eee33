// How we know that all this is one person: his identifiers, and the merges, which can be taken back.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Merge as MergeIcon } from 'lucide-react'
import { useState } from 'react'
import { post } from '../../api/client.ts'
import type { Merge, Profile } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { useNames } from '../../app/names.ts'
import { useSearchParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { Link } from '../../ui/Link.tsx'
import { notify } from '../../ui/notices.ts'
import { Badge } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './people.module.css'
import { useTexts } from './texts.ts'

type Known = Profile['identifiers'][number]

export function Identity({ person }: { person: Profile }) {
  const t = useTexts()
  const names = useNames()
  const [sort, setSort] = useSearchParam('sort')
  const columns: Column<Known>[] = [
    {
      key: 'value',
      header: t('value'),
      width: 'minmax(0, 2fr)',
      sort: (known) => names.address(known.value),
      cell: (known) => (
        <span className="two">
          <span className="clip">{names.address(known.value)}</span>
          <span className={join('second', styles.narrowOnly)}>
            {[names.identifier(known.kind), known.source && names.source(known.source)].filter(Boolean).join(' · ')}
          </span>
        </span>
      ),
    },
    {
      key: 'kind',
      header: t('kind'),
      width: 'minmax(0, 1fr)',
      narrow: false,
      sort: (known) => names.identifier(known.kind),
      cell: (known) => <span title={known.kind}>{names.identifier(known.kind)}</span>,
    },
    {
      key: 'source',
      header: t('source'),
      width: 'minmax(0, 1fr)',
      narrow: false,
      sort: (known) => (known.source ? names.source(known.source) : null),
      cell: (known) => (known.source ? <span title={known.source}>{names.source(known.source)}</span> : '–'),
    },
    {
      key: 'strand',
      header: t('strand'),
      width: 'minmax(0, 1fr)',
      narrow: false,
      cell: (known) => (known.strand === person.id ? t('own') : <code>{known.strand}</code>),
    },
    {
      key: 'seen',
      header: t('first_seen'),
      width: '12rem',
      narrow: false,
      sort: (known) => Date.parse(known.first_seen_at),
      cell: (known) => <Time at={known.first_seen_at} show="absolute" />,
    },
  ]
  return (
    <div className="stack">
      <Card title={t('identifiers_known')} flush>
        <Table
          label={t('identifiers_known')}
          columns={columns}
          rows={person.identifiers}
          rowKey={(known) => `${known.kind}:${known.value}`}
          rowHeight={48}
          sort={sort}
          onSort={setSort}
        />
      </Card>
      <Card title={t('merges')} flush>
        {person.merges.length === 0 && <p className={styles.none}>{t('merges_none')}</p>}
        <ul>
          {person.merges.map((merge) => (
            <Merged key={merge.merge} merge={merge} />
          ))}
        </ul>
      </Card>
    </div>
  )
}

function Merged({ merge }: { merge: Merge }) {
  const t = useTexts()
  const cache = useQueryClient()
  const refusal = useRefusal()
  const [asking, setAsking] = useState(false)
  const undo = useMutation({
    mutationFn: () => post(`/merges/${merge.merge}/undo`),
    onSuccess: () => {
      notify(t('undo_done'))
      setAsking(false)
      void cache.invalidateQueries()
    },
  })
  return (
    <li className={styles.merge}>
      <MergeIcon aria-hidden />
      <div className="grow">
        <p>{t('merge_line', { loser: merge.loser, winner: merge.winner, kind: merge.identifier_kind })}</p>
        <p className="muted">
          <Time at={merge.at} show="both" />
        </p>
      </div>
      {merge.undone ? (
        <span className="row">
          <Badge>{t('undone')}</Badge>
          <Link href={`/people/${encodeURIComponent(merge.loser)}`}>{merge.loser}</Link>
        </span>
      ) : (
        <Button small look="danger" refused={refusal('profiles_write')} onPress={() => setAsking(true)}>
          {t('undo')}
        </Button>
      )}
      <Dialog
        title={t('undo_title')}
        isOpen={asking}
        onClose={() => setAsking(false)}
        footer={
          <>
            <Button onPress={() => setAsking(false)}>{t('cancel')}</Button>
            <Button look="danger" isDisabled={undo.isPending} onPress={() => undo.mutate()}>
              {t('undo')}
            </Button>
          </>
        }
      >
        <p>{t('undo_text')}</p>
        {undo.error && <Failure error={undo.error} />}
      </Dialog>
    </li>
  )
}
