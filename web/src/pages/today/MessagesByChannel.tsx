// Messages of each channel by the state they are in.
import type { MessageState, Overview } from '../../api/types.ts'
import { arrivedShare } from '../../app/delivery.ts'
import { useNames } from '../../app/names.ts'
import { STATES, shareTone, useAppTexts } from '../../app/texts.ts'
import { useLanguage } from '../../i18n.ts'
import { Card } from '../../ui/Card.tsx'
import { Link } from '../../ui/Link.tsx'
import { Shares } from '../../ui/Spark.tsx'
import { useTexts } from './texts.ts'
import styles from './today.module.css'

const ORDER: readonly MessageState[] = ['read', 'delivered', 'sent', 'queued', 'held', 'suppressed', 'failed']

/** What was stopped or held before a channel was chosen. */
const withoutChannelLast = (one: Counts, other: Counts) => Number(one.channel === '') - Number(other.channel === '')
type Counts = Overview['messages'][number]

export function MessagesByChannel({ messages }: { messages: Overview['messages'] }) {
  const t = useTexts()
  const app = useAppTexts()
  const names = useNames()
  const [language] = useLanguage()
  const percent = new Intl.NumberFormat(language, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
  return (
    <Card title={t('messages')} actions={<Link href="/messages">{t('all_messages')}</Link>} flush>
      {messages.length === 0 && <p className="nothing">{t('messages_none')}</p>}
      <ul aria-label={t('messages_detail')}>
        {[...messages].sort(withoutChannelLast).map((channel) => {
          const { share } = arrivedShare([channel])
          return (
            <li key={channel.channel} className={styles.channel}>
              {channel.channel ? (
                <Link
                  href={`/messages?channel=${encodeURIComponent(channel.channel)}`}
                  className={styles.channelName ?? ''}
                >
                  {names.channel(channel.channel)}
                </Link>
              ) : (
                <span className="muted">{t('no_channel')}</span>
              )}
              <Shares
                label={channel.channel ? names.channel(channel.channel) : t('no_channel')}
                shares={ORDER.filter((state) => channel[state] > 0).map((state) => ({
                  key: state,
                  label: app(STATES[state]?.text ?? 'all'),
                  value: channel[state],
                  tone: shareTone(state),
                }))}
              />
              {share !== null && (
                <div className={styles.share} title={`${t('arrived')} ${t('arrived_share')}`}>
                  <b>{percent.format(share)}</b>
                  <span className="muted">{t('arrived')}</span>
                </div>
              )}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}
