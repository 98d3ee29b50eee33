// Moves of people from version to version that were made, newest first, each of which can be taken back.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Undo2 } from 'lucide-react'
import { useState } from 'react'
import { post } from '../../../api/client.ts'
import type { Migration } from '../../../api/definitions.ts'
import { useList } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { useRefusal } from '../../../app/may.ts'
import { localeOf, useLanguage } from '../../../i18n.ts'
import { Button } from '../../../ui/Button.tsx'
import { Card } from '../../../ui/Card.tsx'
import { Dialog } from '../../../ui/Dialog.tsx'
import { notify } from '../../../ui/notices.ts'
import { Badge } from '../../../ui/State.tsx'
import { type Column, Table } from '../../../ui/Table.tsx'
import { Time } from '../../../ui/Time.tsx'
import { useJourneyTexts } from '../texts.ts'
import { versionName } from '../words.ts'

export function Moves({ journey }: { journey: string }) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const refusal = useRefusal()
  const [undoing, setUndoing] = useState<Migration | null>(null)
  const list = useList<Migration>(`/journeys/${encodeURIComponent(journey)}/migrations`)
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.items.length === 0) return null
  const columns: Column<Migration>[] = [
    {
      key: 'at',
      header: t('moved_at'),
      width: 'minmax(10rem, 1fr)',
      narrow: 'minmax(0, 1fr)',
      cell: (row) => <Time at={row.at} show="both" />,
    },
    { key: 'to', header: t('to_version'), width: '9rem', narrow: false, cell: (row) => versionName(row.to_version) },
    {
      key: 'steps',
      header: t('steps_changed'),
      width: 'minmax(8rem, 1.4fr)',
      narrow: false,
      cell: (row) =>
        Object.entries(row.steps)
          .map(([from, to]) => `${from} → ${to}`)
          .join(', ') || <span className="muted">{t('same_names')}</span>,
    },
    {
      key: 'people',
      header: t('people'),
      width: '5.5rem',
      narrow: '4rem',
      align: 'right',
      cell: (row) => row.moved.toLocaleString(localeOf(language)),
    },
    {
      key: 'undo',
      header: '',
      width: '9.5rem',
      narrow: '7.5rem',
      align: 'right',
      cell: (row) =>
        row.undone_at ? (
          <Badge title={t('moved_back_count', { count: row.moved_back })}>{t('taken_back')}</Badge>
        ) : (
          <Button
            small
            icon={<Undo2 />}
            refused={refusal('workspace_write')}
            aria-label={t('move_back_of', { count: row.moved })}
            onPress={() => setUndoing(row)}
          >
            {t('move_back')}
          </Button>
        ),
    },
  ]
  return (
    <Card flush title={t('moves')}>
      <Table label={t('moves')} columns={columns} rows={list.items} rowKey={(row) => String(row.number)} />
      {undoing && <Undo journey={journey} move={undoing} onClose={() => setUndoing(null)} />}
    </Card>
  )
}

function Undo({ journey, move, onClose }: { journey: string; move: Migration; onClose: () => void }) {
  const t = useJourneyTexts()
  const cache = useQueryClient()
  const undo = useMutation({
    mutationFn: () => post(`/journeys/${encodeURIComponent(journey)}/migrations/${move.number}/undo`),
    onSuccess: () => {
      void cache.invalidateQueries()
      notify(t('moved_back'))
      onClose()
    },
  })
  return (
    <Dialog
      title={t('undo_title')}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button look="primary" icon={<Undo2 />} busy={undo.isPending} onPress={() => undo.mutate()}>
            {t('move_back')}
          </Button>
        </>
      }
    >
      <p>{t('undo_text', { count: move.moved })}</p>
      {undo.error && <Failure error={undo.error} />}
    </Dialog>
  )
}
