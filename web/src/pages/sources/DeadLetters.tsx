// What was refused and kept: why, as it came, and once more or away with it.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { MailCheck, RotateCw, Trash2 } from 'lucide-react'
import { post, remove, segment } from '../../api/client.ts'
import type { DeadLetter, Taken } from '../../api/definitions.ts'
import type { List } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { useSearchParam } from '../../app/url.ts'
import { useLanguage } from '../../i18n.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Snippet } from '../../ui/Copy.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { notify } from '../../ui/notices.ts'
import { GERMAN } from '../../ui/problems.ts'
import { Said } from '../../ui/Said.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Badge } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { RetryAll } from './RetryAll.tsx'
import styles from './sources.module.css'
import { useSourceTexts } from './texts.ts'

/** An event of nobody, which is refused. */
const refused = () => `curl ${window.location.origin}/v1/track -u WRITE_KEY: \\
  -H 'content-type: application/json' \\
  -d '{"event": "Order Completed"}'`

/** Indented when it is JSON, else as it came. */
export function readable(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

/** Why it was refused, in the reader's language. */
function useRefused(): (code: string, said: string) => string {
  const [language] = useLanguage()
  return (code, said) => (language === 'de' ? GERMAN[code]?.[0] : undefined) ?? said
}

export function DeadLetters({ list }: { list: List<DeadLetter> }) {
  const t = useSourceTexts()
  const [open, setOpen] = useSearchParam('letter')
  const inWords = useRefused()
  const chosen = list.items.find((letter) => String(letter.id) === open)
  const columns: Column<DeadLetter>[] = [
    {
      key: 'reason',
      header: t('reason'),
      width: 'minmax(14rem, 2.5fr)',
      narrow: 'minmax(0, 1fr)',
      cell: (row) => inWords(row.code, row.reason),
    },
    {
      key: 'code',
      header: t('code'),
      width: 'minmax(9rem, 1fr)',
      narrow: false,
      cell: (row) => <code className="soft">{row.code}</code>,
    },
    { key: 'source', header: t('source'), width: '7rem', narrow: false, cell: (row) => row.source },
    {
      key: 'retried',
      header: '',
      width: '8rem',
      narrow: false,
      cell: (row) => row.retried && <Badge tone="good">{t('retried')}</Badge>,
    },
    {
      key: 'at',
      header: t('when'),
      width: '7rem',
      narrow: '6rem',
      align: 'right',
      cell: (row) => <Time at={row.at} />,
    },
  ]
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.loading) return <Skeleton lines={6} />
  if (list.items.length === 0) {
    return (
      <Empty icon={<MailCheck />} title={t('no_letters')} snippet={refused()}>
        {t('no_letters_text')}
      </Empty>
    )
  }
  return (
    <>
      <RetryAll waiting={list.items.some((letter) => !letter.retried)} />
      <Card flush>
        <Table
          main
          label={t('view_dead_letters')}
          columns={columns}
          rows={list.items}
          rowKey={(row) => String(row.id)}
          onRow={(row) => setOpen(String(row.id))}
          selected={open}
          more={list.more}
          onEnd={list.loadMore}
        />
      </Card>
      {chosen && <Letter letter={chosen} onClose={() => setOpen('')} />}
    </>
  )
}

function Letter({ letter, onClose }: { letter: DeadLetter; onClose: () => void }) {
  const t = useSourceTexts()
  const inWords = useRefused()
  const [language] = useLanguage()
  const refusal = useRefusal()
  const cache = useQueryClient()
  const refused = refusal('operate')
  const done = () => void cache.invalidateQueries({ queryKey: ['/dead_letters'] })
  const retry = useMutation({
    mutationFn: () => post<Taken>(`/dead_letters/${segment(String(letter.id))}/retry`),
    onSuccess: (answer) => {
      done()
      if (!answer.accepted) return
      notify(t('taken_now'))
      onClose()
    },
  })
  const drop = useMutation({
    mutationFn: () => remove(`/dead_letters/${segment(String(letter.id))}`),
    onSuccess: () => {
      done()
      notify(t('deleted'))
      onClose()
    },
  })
  const failure = retry.error ?? drop.error
  return (
    <Dialog
      wide
      title={t('letter_from', { source: letter.source })}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button look="danger" icon={<Trash2 />} refused={refused} busy={drop.isPending} onPress={() => drop.mutate()}>
            {t('delete')}
          </Button>
          <Button
            look="primary"
            icon={<RotateCw />}
            refused={refused}
            busy={retry.isPending}
            onPress={() => retry.mutate()}
          >
            {t('retry')}
          </Button>
        </>
      }
    >
      <div>
        <p className={styles.reason}>{inWords(letter.code, letter.reason)}</p>
        {language === 'de' && GERMAN[letter.code] && (
          <p className="soft">
            <Said text={GERMAN[letter.code]?.[1] ?? ''} />
          </p>
        )}
        <p className="soft">
          <code>{letter.code}</code> · <Time at={letter.at} show="both" />
        </p>
      </div>
      {retry.data && !retry.data.accepted && (
        <p className={styles.again} role="alert">
          {t('refused_again')} {inWords(retry.data.code ?? '', retry.data.reason ?? retry.data.code ?? '')}
        </p>
      )}
      {failure && <Failure error={failure} />}
      <Snippet label={t('as_it_came')}>{readable(letter.body)}</Snippet>
    </Dialog>
  )
}
