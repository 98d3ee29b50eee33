// Every change and by whom, newest first, as the chained log has it.
import { ScrollText } from 'lucide-react'
import { useGet, useList } from '../../api/hooks.ts'
import type { AuditEntry, AuditPage } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { Card } from '../../ui/Card.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { State } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { useTexts } from './texts.ts'

const HASH_SHOWN = 10

const ACTIONS = {
  'definitions.published': 'action_published',
  'key.created': 'action_key_created',
  'key.removed': 'action_key_removed',
  'login_link.created': 'action_login_link',
  'message.tested': 'action_tested',
  'dead_letter.removed': 'action_letter_removed',
  'journey.migrated': 'action_migrated',
  'journey.migration_undone': 'action_migration_undone',
  'merge.undone': 'action_merge_undone',
} as const
const isKnown = (action: string): action is keyof typeof ACTIONS => action in ACTIONS

export function AuditLog() {
  const t = useTexts()
  const said = (action: string) => (isKnown(action) ? t(ACTIONS[action]) : action)
  const log = useList<AuditEntry>('/audit')
  const chain = useGet<AuditPage>('/audit', { limit: 1 }).data
  const columns: Column<AuditEntry>[] = [
    { key: 'number', header: t('number'), width: '4rem', narrow: false, cell: (entry) => entry.number },
    {
      key: 'action',
      header: t('action'),
      width: 'minmax(0, 1.2fr)',
      narrow: 'minmax(0, 1.5fr)',
      cell: (entry) => <span title={entry.action}>{said(entry.action)}</span>,
    },
    {
      key: 'subject',
      header: t('subject'),
      width: 'minmax(0, 1.2fr)',
      narrow: 'minmax(0, 0.8fr)',
      cell: (entry) => entry.subject,
    },
    { key: 'who', header: t('who'), width: 'minmax(0, 1fr)', narrow: false, cell: (entry) => entry.who },
    {
      key: 'detail',
      header: t('detail'),
      width: 'minmax(0, 1.4fr)',
      narrow: false,
      cell: (entry) => <span className="soft">{entry.detail}</span>,
    },
    {
      key: 'hash',
      header: t('hash'),
      width: '7rem',
      narrow: false,
      cell: (entry) => (
        <code className="muted" title={entry.hash}>
          {entry.hash.slice(0, HASH_SHOWN)}
        </code>
      ),
    },
    { key: 'when', header: t('when'), width: '8rem', narrow: '5.2rem', cell: (entry) => <Time at={entry.at} /> },
  ]
  if (log.error) return <Failure error={log.error} onRetry={log.retry} />
  return (
    <div className="stack">
      <div className="row wrap between">
        <p className="soft grow">{t('audit_text')}</p>
        {chain &&
          (chain.intact ? (
            <State tone="good">{t('intact')}</State>
          ) : (
            <State tone="bad">{t('broken', { number: chain.broken_at ?? 0 })}</State>
          ))}
      </div>
      <Card flush>
        {log.loading ? (
          <Skeleton lines={8} />
        ) : log.items.length === 0 ? (
          <Empty icon={<ScrollText />} title={t('audit_none')}>
            {t('audit_none_text')}
          </Empty>
        ) : (
          <Table
            label={t('audit')}
            main
            columns={columns}
            rows={log.items}
            rowKey={(entry) => String(entry.number)}
            more={log.more}
            onEnd={log.loadMore}
          />
        )}
      </Card>
    </div>
  )
}
