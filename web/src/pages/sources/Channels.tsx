// Channels: whether each works, what waits in it, and a test message.
import { useMutation } from '@tanstack/react-query'
import { Send, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { post } from '../../api/client.ts'
import type { Channel, TestResult } from '../../api/definitions.ts'
import type { List } from '../../api/hooks.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { useNames } from '../../app/names.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { useSearchParam } from '../../app/url.ts'
import { useWording } from '../../app/wording.ts'
import { useLanguage } from '../../i18n.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { TextField } from '../../ui/Field.tsx'
import { Said } from '../../ui/Said.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './sources.module.css'
import { useSourceTexts } from './texts.ts'

const EXAMPLE = `channels:
  - {name: mail, kind: email, from: "Shop <shop@shop.example>", smtp: {host: 127.0.0.1, port: 25}}
`

export function Channels({ list }: { list: List<Channel> }) {
  const t = useSourceTexts()
  const [testing, setTesting] = useSearchParam('test')
  const chosen = list.items.find((channel) => channel.name === testing)
  if (list.error) return <Failure error={list.error} onRetry={list.retry} />
  if (list.loading) return <Skeleton lines={6} />
  if (list.items.length === 0) {
    return (
      <Empty icon={<Send />} title={t('no_channels')} snippet={EXAMPLE}>
        {t('no_channels_text')}
      </Empty>
    )
  }
  return (
    <>
      <ul className={styles.channels}>
        {list.items.map((channel) => (
          <li key={channel.name}>
            <ChannelCard channel={channel} onTest={() => setTesting(channel.name)} />
          </li>
        ))}
      </ul>
      {chosen && <TestSend channel={chosen} onClose={() => setTesting('')} />}
    </>
  )
}

function ChannelCard({ channel, onTest }: { channel: Channel; onTest: () => void }) {
  const t = useSourceTexts()
  const refusal = useRefusal()
  const names = useNames()
  const [language] = useLanguage()
  const inWords = useWording()
  const kind = names.channel(channel.kind)
  const number = (value: number) => value.toLocaleString(language === 'en' ? 'en-GB' : language)
  const refused = channel.state === 'unconfigured' ? t('set_up_first') : refusal('operate')
  return (
    <article className={styles.channel} aria-label={channel.name}>
      <header className="row between">
        <span className="row">
          <h2>{channel.name}</h2>
          {kind.toLowerCase() !== channel.name.toLowerCase() && <span className="muted">{kind}</span>}
        </span>
        <StateOf state={channel.state} />
      </header>
      <p className={styles.since}>
        {channel.since ? (
          <>
            {t('since')} <Time at={channel.since} show="absolute" />
          </>
        ) : channel.state === 'unconfigured' ? (
          t('how_to_set_up', { name: channel.name })
        ) : (
          ''
        )}
      </p>
      {channel.last_error && (
        <p className={styles.error}>
          <TriangleAlert aria-hidden />
          <span>
            <Said text={inWords(channel.last_error_wording, channel.last_error)} />
          </span>
        </p>
      )}
      <dl className={styles.counts}>
        <div>
          <dt>{t('queued')}</dt>
          <dd>{number(channel.queued)}</dd>
        </div>
        <div>
          <dt>{t('in_flight')}</dt>
          <dd>{number(channel.in_flight)}</dd>
        </div>
        <div>
          <dt>{t('sent')}</dt>
          <dd>{number(channel.sent_total)}</dd>
        </div>
        <div>
          <dt>{t('failed')}</dt>
          <dd>{number(channel.failed_total)}</dd>
        </div>
      </dl>
      <footer className="row between">
        <span className="muted">
          {channel.limit_per_second ? t('limit', { number: channel.limit_per_second }) : ''}
        </span>
        <Button small icon={<Send />} refused={refused} onPress={onTest}>
          {t('test_send')}
        </Button>
      </footer>
    </article>
  )
}

function TestSend({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const t = useSourceTexts()
  const inWords = useWording()
  const [to, setTo] = useState('')
  const [text, setText] = useState(t('test_text'))
  const send = useMutation({
    mutationFn: () => post<TestResult>('/messages/test', { channel_account: channel.name, to: to.trim(), text }),
  })
  return (
    <Dialog
      title={t('test_on', { name: channel.name })}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('close')}</Button>
          <Button
            look="primary"
            icon={<Send />}
            busy={send.isPending}
            isDisabled={to.trim() === ''}
            onPress={() => send.mutate()}
          >
            {t('send')}
          </Button>
        </>
      }
    >
      <TextField
        label={t('to')}
        value={to}
        onChange={setTo}
        autoFocus
        placeholder={channel.kind === 'email' ? 'you@example.com' : '+49…'}
        description={t('test_real')}
      />
      <TextField label={t('text')} value={text} onChange={setText} lines={3} />
      {send.data && (
        <p className={send.data.accepted ? styles.accepted : styles.again} role="status">
          {send.data.accepted ? (
            t('accepted')
          ) : (
            <Said text={`${t('not_accepted')} ${inWords(send.data.wording, send.data.reason ?? '')}`} />
          )}
        </p>
      )}
      {send.error && <Failure error={send.error} />}
    </Dialog>
  )
}
