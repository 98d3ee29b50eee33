// What came of a play: what went out, and the way step by step in virtual time.
import { Mail } from 'lucide-react'
import type { TryResult } from '../../../api/definitions.ts'
import { StateOf } from '../../../app/StateOf.tsx'
import { Time } from '../../../ui/Time.tsx'
import styles from '../journeys.module.css'
import { useJourneyTexts } from '../texts.ts'

export function Outcome({ result }: { result: TryResult }) {
  const t = useJourneyTexts()
  return (
    <section className={styles.section} aria-label={t('what_came')} aria-live="polite">
      <h3>{t('what_came')}</h3>
      {result.findings?.map((finding, index) => (
        <p key={index} className={styles.formError}>
          {finding.message}
          {finding.help && <span className={styles.help}>{finding.help}</span>}
        </p>
      ))}
      {result.path.length === 0 && !result.findings?.length && (
        <p className={styles.formWarning}>{t('did_not_enter')}</p>
      )}
      {result.messages.length > 0 && (
        <ul className={styles.sent}>
          {result.messages.map((message, index) => (
            <li key={index}>
              <Mail aria-hidden />
              <span className="grow clip">
                <b>{message.template}</b> {message.channel && <span className="muted">{message.channel}</span>}
              </span>
              {message.state && <StateOf state={message.state} />}
            </li>
          ))}
        </ul>
      )}
      {result.path.length > 0 && result.messages.length === 0 && <p className="soft">{t('nothing_sent')}</p>}
      <ol className={styles.story}>
        {result.steps.map((step, index) => (
          <li key={index}>
            <span className={styles.storyAt}>
              <Time at={step.at} show="absolute" />
            </span>
            <span>{step.sentence}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
