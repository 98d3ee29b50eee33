// Keys of programs and people: make one, see it once, take it away.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { post, remove, segment } from '../../api/client.ts'
import { useList } from '../../api/hooks.ts'
import type { Key, MadeKey, Role } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { useSearchParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Snippet } from '../../ui/Copy.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { TextField } from '../../ui/Field.tsx'
import { notify } from '../../ui/notices.ts'
import { Select } from '../../ui/Select.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Badge } from '../../ui/State.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import { ROLES, SCOPES_OF } from './roles.ts'
import { useTexts } from './texts.ts'

export function Keys() {
  const t = useTexts()
  const refusal = useRefusal()
  const keys = useList<Key>('/keys')
  const [sort, setSort] = useSearchParam('sort')
  const [over, setOver] = useState<'make' | MadeKey | null>(null)
  const [leaving, setLeaving] = useState<Key | null>(null)
  const make = (
    <Button look="primary" icon={<Plus />} refused={refusal('admin')} onPress={() => setOver('make')}>
      {t('new_key')}
    </Button>
  )
  const columns: Column<Key>[] = [
    { key: 'name', header: t('key_name'), width: 'minmax(0, 2fr)', sort: (key) => key.name, cell: (key) => key.name },
    {
      key: 'role',
      header: t('role'),
      width: 'minmax(5.5rem, 1fr)',
      sort: (key) => key.role,
      cell: (key) => <Badge>{key.role}</Badge>,
    },
    {
      key: 'scopes',
      header: t('scopes'),
      width: 'minmax(0, 2fr)',
      narrow: false,
      cell: (key) => {
        const scopes = key.scopes ?? SCOPES_OF[key.role]
        const said =
          scopes.length === SCOPES_OF[key.role].length
            ? t(`role_${key.role}`)
            : scopes.map((scope) => t(`scope_${scope}`)).join('; ')
        return (
          <span className="soft" title={scopes.join(', ')}>
            {said}
          </span>
        )
      },
    },
    {
      key: 'created',
      header: t('created'),
      width: '8rem',
      narrow: false,
      sort: (key) => Date.parse(key.created_at),
      cell: (key) => <Time at={key.created_at} />,
    },
    {
      key: 'remove',
      header: '',
      width: '7rem',
      narrow: '6.5rem',
      align: 'right',
      cell: (key) => (
        <Button
          small
          look="danger"
          refused={refusal('admin')}
          aria-label={`${t('remove')}: ${key.name}`}
          onPress={() => setLeaving(key)}
        >
          {t('remove')}
        </Button>
      ),
    },
  ]
  if (keys.error) return <Failure error={keys.error} onRetry={keys.retry} />
  return (
    <div className="stack">
      <div className="row wrap between">
        <p className="soft grow">{t('keys_text')}</p>
        {keys.items.length > 0 && make}
      </div>
      <Card flush>
        {keys.loading ? (
          <Skeleton />
        ) : keys.items.length === 0 ? (
          <Empty icon={<KeyRound />} title={t('keys_none')} action={make}>
            {t('keys_none_text')}
          </Empty>
        ) : (
          <Table
            label={t('keys')}
            main
            columns={columns}
            rows={keys.items}
            rowKey={(key) => key.id}
            rowHeight={44}
            sort={sort}
            onSort={setSort}
          />
        )}
      </Card>
      {over === 'make' && <Make onMade={setOver} onClose={() => setOver(null)} />}
      {over !== null && over !== 'make' && <Made made={over} onClose={() => setOver(null)} />}
      {leaving && <Remove leaving={leaving} onClose={() => setLeaving(null)} />}
    </div>
  )
}

function Make({ onMade, onClose }: { onMade: (made: MadeKey) => void; onClose: () => void }) {
  const t = useTexts()
  const cache = useQueryClient()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('source')
  const make = useMutation({
    mutationFn: () => post<MadeKey>('/keys', { name: name.trim(), role }),
    onSuccess: (made) => {
      onMade(made)
      void cache.invalidateQueries({ queryKey: ['/keys'] })
    },
  })
  return (
    <Dialog
      title={t('new_key')}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button look="primary" busy={make.isPending} isDisabled={name.trim() === ''} onPress={() => make.mutate()}>
            {t('make')}
          </Button>
        </>
      }
    >
      {make.error && <Failure error={make.error} />}
      <TextField label={t('key_name')} description={t('key_name_hint')} value={name} onChange={setName} autoFocus />
      <div className="stack tight">
        <Select
          label={t('role')}
          value={role}
          onChange={setRole}
          choices={ROLES.map((each) => ({ value: each, label: each }))}
        />
        <p className="muted">{t(`role_${role}`)}</p>
      </div>
    </Dialog>
  )
}

function Made({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  const t = useTexts()
  return (
    <Dialog
      title={t('made')}
      isOpen
      onClose={onClose}
      footer={
        <Button look="primary" onPress={onClose}>
          {t('done')}
        </Button>
      }
    >
      <p>{t('made_text')}</p>
      <Snippet>{made.key}</Snippet>
      <Snippet label={t('try_it')}>
        {made.role === 'source'
          ? `curl ${window.location.origin}/v1/track -u ${made.key}: \\\n  -H 'content-type: application/json' \\\n  -d '{"userId": "ada", "event": "Product Viewed"}'`
          : `curl ${window.location.origin}/api/v1/me -H 'authorization: Bearer ${made.key}'`}
      </Snippet>
    </Dialog>
  )
}

function Remove({ leaving, onClose }: { leaving: Key; onClose: () => void }) {
  const t = useTexts()
  const cache = useQueryClient()
  const take = useMutation({
    mutationFn: () => remove(`/keys/${segment(leaving.id)}`),
    onSuccess: () => {
      notify(t('removed', { name: leaving.name }))
      onClose()
      void cache.invalidateQueries({ queryKey: ['/keys'] })
    },
  })
  return (
    <Dialog
      title={t('remove_title', { name: leaving.name })}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button look="danger" busy={take.isPending} onPress={() => take.mutate()}>
            {t('remove')}
          </Button>
        </>
      }
    >
      <p>{t('remove_text')}</p>
      {take.error && <Failure error={take.error} />}
    </Dialog>
  )
}
