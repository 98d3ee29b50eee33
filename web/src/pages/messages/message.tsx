// One message: what it was, to whom, and what became of it.
import { BookOpenCheck } from 'lucide-react'
import { useGet } from '../../api/hooks.ts'
import type { MessageDetail } from '../../api/types.ts'
import { Loaded } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Page } from '../../app/Page.tsx'
import { useRules } from '../../app/rules.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useTitles } from '../../app/titles.ts'
import { useGo, usePathParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Card, FactRow, Facts } from '../../ui/Card.tsx'
import { Id } from '../../ui/Copy.tsx'
import { Link } from '../../ui/Link.tsx'
import { Time } from '../../ui/Time.tsx'
import { Reason } from './MessageList.tsx'
import styles from './messages.module.css'
import { Preview } from './Preview.tsx'
import { useMessageTexts } from './texts.ts'

const REFRESH_MS = 3_000

export default function MessagePage() {
  const id = usePathParam('id')
  const t = useMessageTexts()
  const app = useAppTexts()
  const go = useGo()
  const message = useGet<MessageDetail>(`/messages/${encodeURIComponent(id)}`, {}, { every: REFRESH_MS })
  const title = message.data
    ? t('message_to', { template: message.data.template, person: message.data.user_id || message.data.profile })
    : id
  return (
    <Page
      title={title}
      above={<Link href="/messages">{app('messages')}</Link>}
      description={message.data && <StateOf state={message.data.state} />}
      actions={
        <Button icon={<BookOpenCheck />} onPress={() => go(`/explain/${encodeURIComponent(id)}`)}>
          {app('why')}
        </Button>
      }
    >
      <Loaded query={message} lines={8}>
        {(data) => (
          <div className={styles.message}>
            <div className="stack">
              <About message={data} />
              <History message={data} />
            </div>
            <Card title={t('as_rendered_now')}>
              <Preview template={data.template} channel={data.channel} language="" profile={data.profile} />
            </Card>
          </div>
        )}
      </Loaded>
    </Page>
  )
}

function About({ message }: { message: MessageDetail }) {
  const t = useMessageTexts()
  const titles = useTitles()
  const names = useNames()
  const reason = message.rule ?? message.code
  const journey = `/journeys/${encodeURIComponent(message.journey)}`
  return (
    <Card title={t('about')}>
      <Facts>
        <FactRow name={t('to')}>
          <span className={styles.linked}>
            <Link href={`/people/${encodeURIComponent(message.profile)}`}>{message.user_id || message.profile}</Link>
            {message.address && <span className="soft"> · {names.address(message.address)}</span>}
          </span>
        </FactRow>
        <FactRow name={t('channel')}>{message.channel ? names.channel(message.channel) : '–'}</FactRow>
        <FactRow name={t('template')}>
          <Link
            href={`/messages?view=templates&template=${encodeURIComponent(message.template)}&profile=${encodeURIComponent(message.profile)}`}
          >
            {message.template}
          </Link>
        </FactRow>
        <FactRow name={t('purpose')}>{message.purpose}</FactRow>
        <FactRow name={t('journey')}>
          <Link href={journey}>{titles.journey(message.journey)}</Link>
          {message.step && (
            <>
              {' · '}
              <Link href={`${journey}?step=${encodeURIComponent(message.step)}`}>{message.step}</Link>
            </>
          )}
        </FactRow>
        {reason && (
          <FactRow name={t('reason')}>
            <Reason message={message} /> <code className="muted">{reason}</code>
          </FactRow>
        )}
        <FactRow name={t('decided')}>
          <Time at={message.at} show="both" />
        </FactRow>
        {message.provider_id && (
          <FactRow name={t('provider_id')}>
            <Id>{message.provider_id}</Id>
          </FactRow>
        )}
        <FactRow name={t('id')}>
          <Id>{message.id}</Id>
        </FactRow>
      </Facts>
    </Card>
  )
}

function History({ message }: { message: MessageDetail }) {
  const t = useMessageTexts()
  const rules = useRules()
  return (
    <Card title={t('history')}>
      <ol className={styles.history}>
        {message.history.map((moment, index) => (
          <li key={index}>
            <StateOf state={moment.state} />
            <span className="soft">
              <Time at={moment.at} show="both" />
            </span>
            {moment.code && <span className="soft">{rules.reason(moment.code)}</span>}
          </li>
        ))}
      </ol>
    </Card>
  )
}
