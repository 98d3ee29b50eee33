// What was said to one person on all channels, as one conversation; also what was meant to be said and was not.
import { useMutation } from '@tanstack/react-query'
import { BellRing, Mail, MessageCircle, MessageSquareText, Route, Smartphone, Webhook } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { post, segment } from '../../api/client.ts'
import { useList } from '../../api/hooks.ts'
import type { Message, Profile } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { useRules } from '../../app/rules.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useTitles } from '../../app/titles.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { HtmlPreview } from '../../ui/HtmlPreview.tsx'
import { Link } from '../../ui/Link.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { Time } from '../../ui/Time.tsx'
import { useTexts } from './texts.ts'
import styles from './thread.module.css'

const SILENT: readonly Message['state'][] = ['suppressed', 'held', 'failed', 'queued']

export function Thread({ person }: { person: Profile }) {
  const t = useTexts()
  const messages = useList<Message>('/messages', { profile: person.id })
  if (messages.error) return <Failure error={messages.error} onRetry={messages.retry} />
  if (messages.loading) return <Skeleton lines={7} />
  if (messages.items.length === 0) {
    return (
      <Card>
        <Empty icon={<MessageSquareText />} title={t('messages_none')}>
          {t('messages_none_text')}
        </Empty>
      </Card>
    )
  }
  return (
    <ol className={styles.thread} aria-label={t('messages')}>
      {messages.items.map((message) => (
        <Bubble key={message.id} message={message} language={person.language} />
      ))}
      {messages.more && (
        <li>
          <Button onPress={messages.loadMore}>…</Button>
        </li>
      )}
    </ol>
  )
}

function iconOf(channel: string): ReactNode {
  if (channel === 'email') return <Mail aria-hidden />
  if (channel === 'sms') return <Smartphone aria-hidden />
  if (channel === 'webhook') return <Webhook aria-hidden />
  if (channel === 'web_push' || channel === 'push') return <BellRing aria-hidden />
  return <MessageCircle aria-hidden />
}

function Bubble({ message, language }: { message: Message; language?: string | null }) {
  const t = useTexts()
  const app = useAppTexts()
  const rules = useRules()
  const titles = useTitles()
  const names = useNames()
  return (
    <li className={join(styles.bubble, SILENT.includes(message.state) && styles.silent)}>
      <div className={styles.top}>
        <span className={styles.channel}>
          {iconOf(message.channel)}
          {message.channel ? names.channel(message.channel) : t('no_channel')}
        </span>
        <StateOf state={message.state} />
        <span className={styles.when}>
          <Time at={message.at} show="absolute" />
        </span>
      </div>
      <p>
        <b>{message.template}</b>{' '}
        <span className="muted">{message.address && t('to', { address: names.address(message.address) })}</span>
      </p>
      {(message.rule || message.code) && (
        <p className="soft">
          {rules.reason(message.rule ?? message.code ?? '')}
          {message.until && (
            <>
              , {t('held_until')} <Time at={message.until} show="absolute" />
            </>
          )}
        </p>
      )}
      <div className={styles.bottom}>
        <Link href={`/journeys/${encodeURIComponent(message.journey)}?step=${encodeURIComponent(message.step)}`}>
          <Route aria-hidden /> {titles.journey(message.journey)}
        </Link>
        <Link href={`/explain/${encodeURIComponent(message.id)}`}>{app('why')}</Link>
        {message.channel && <Words message={message} language={language} />}
      </div>
    </li>
  )
}

interface Preview {
  subject: string | null
  text: string
  html: string | null
}

/** The text is not kept with a message; this is the template with the person as he is now, and says so. */
function Words({ message, language }: { message: Message; language?: string | null }) {
  const t = useTexts()
  const [open, setOpen] = useState(false)
  const preview = useMutation({
    mutationFn: () =>
      post<Preview>(`/templates/${segment(message.template)}/preview`, {
        channel: message.channel,
        language: language ?? 'en',
        profile: message.profile,
      }),
  })
  const turn = () => {
    if (!open && !preview.data) preview.mutate()
    setOpen(!open)
  }
  return (
    <>
      <Button small look="quiet" onPress={turn} aria-expanded={open}>
        {open ? t('hide_text') : t('show_text')}
      </Button>
      {open && (
        <div className={styles.words}>
          {preview.error && <Failure error={preview.error} />}
          {preview.isPending && <Skeleton lines={2} />}
          {preview.data && (
            <>
              <p className="muted">{t('text_now')}</p>
              {preview.data.subject && <p className={styles.subject}>{preview.data.subject}</p>}
              {preview.data.html ? (
                <HtmlPreview html={preview.data.html} label={message.template} />
              ) : (
                <p className={styles.text}>{preview.data.text}</p>
              )}
            </>
          )}
        </div>
      )}
    </>
  )
}
