// What somebody allowed and refused, for each purpose and channel, with the proof; and how to record an answer.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { post, segment } from '../../api/client.ts'
import type { Consent, Profile } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { useNames } from '../../app/names.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { TextField } from '../../ui/Field.tsx'
import { notify } from '../../ui/notices.ts'
import { Select } from '../../ui/Select.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './people.module.css'
import { useTexts } from './texts.ts'

export function Consents({ person }: { person: Profile }) {
  const t = useTexts()
  const refusal = useRefusal()
  const [recording, setRecording] = useState(false)
  const record = (
    <Button onPress={() => setRecording(true)} refused={refusal('profiles_write')}>
      {t('record_consent')}
    </Button>
  )
  return (
    <>
      <Card title={t('consent')} actions={person.consents.length > 0 && record} flush>
        {person.consents.length === 0 ? (
          <Empty icon={<ShieldCheck />} title={t('consents_none')} action={record}>
            {t('consents_none_text')}
          </Empty>
        ) : (
          <ul aria-label={t('consent')}>
            {person.consents.map((consent) => (
              <Given key={`${consent.purpose} ${consent.channel} ${consent.address}`} consent={consent} />
            ))}
          </ul>
        )}
      </Card>
      {recording && <Record person={person} onClose={() => setRecording(false)} />}
    </>
  )
}

function Given({ consent }: { consent: Consent }) {
  const t = useTexts()
  const names = useNames()
  return (
    <li className={styles.consent}>
      <div>
        <b>{consent.purpose}</b>
        <div className="muted">
          {consent.channel ? names.channel(consent.channel) : t('any_channel')}
          {consent.address && <> · {names.address(consent.address)}</>}
        </div>
      </div>
      <div>
        <StateOf state={consent.state} />
        <div className="muted">
          <Time at={consent.at} />
        </div>
      </div>
      <div className={styles.proof}>
        <span className="muted">{t('proof')}</span>
        <div>{consent.proof || '–'}</div>
      </div>
    </li>
  )
}

function Record({ person, onClose }: { person: Profile; onClose: () => void }) {
  const t = useTexts()
  const names = useNames()
  const cache = useQueryClient()
  const [purpose, setPurpose] = useState('marketing')
  const [channel, setChannel] = useState('')
  const [answer, setAnswer] = useState<'granted' | 'withdrawn'>('granted')
  const [note, setNote] = useState('')
  const send = useMutation({
    mutationFn: () =>
      post(`/profiles/${segment(person.id)}/consents`, {
        purpose,
        channel: channel || undefined,
        granted: answer === 'granted',
        note: note || undefined,
      }),
    onSuccess: () => {
      notify(t('consent_recorded'))
      onClose()
      void cache.invalidateQueries({ queryKey: [`/profiles/${segment(person.id)}`] })
    },
  })
  const channels = ['email', 'sms', 'whatsapp', 'push', 'web_push', 'webhook']
  return (
    <Dialog
      title={t('record_consent')}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button look="primary" isDisabled={purpose.trim() === '' || send.isPending} onPress={() => send.mutate()}>
            {t('record')}
          </Button>
        </>
      }
    >
      {send.error && <Failure error={send.error} />}
      <TextField label={t('purpose')} description={t('purpose_hint')} value={purpose} onChange={setPurpose} autoFocus />
      <Select
        label={t('channel')}
        value={channel}
        onChange={setChannel}
        choices={[
          { value: '', label: t('any_channel') },
          ...channels.map((each) => ({ value: each, label: names.channel(each) })),
        ]}
      />
      <Select
        label={t('answer')}
        value={answer}
        onChange={setAnswer}
        choices={[
          { value: 'granted', label: t('grant') },
          { value: 'withdrawn', label: t('withdraw') },
        ]}
      />
      <TextField label={t('note')} description={t('note_hint')} value={note} onChange={setNote} lines={2} />
    </Dialog>
  )
}
