// One decision as a chain from the event to its effect: readable, linked, and good on paper.
import { Printer } from 'lucide-react'
import { segment } from '../../api/client.ts'
import { useGet } from '../../api/hooks.ts'
import type { ChainItem, Check, Explanation } from '../../api/types.ts'
import { iconOf, personOf } from '../../app/Decision.tsx'
import { Loaded } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Page } from '../../app/Page.tsx'
import { useRules } from '../../app/rules.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { useTell } from '../../app/tell.ts'
import { useTitles } from '../../app/titles.ts'
import { usePathParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { FactRow, Facts } from '../../ui/Card.tsx'
import { Id } from '../../ui/Copy.tsx'
import { join } from '../../ui/class.ts'
import { Link } from '../../ui/Link.tsx'
import { Badge } from '../../ui/State.tsx'
import { Time } from '../../ui/Time.tsx'
import { Raw, Value } from '../../ui/Value.tsx'
import styles from './explain.module.css'
import { useTexts } from './texts.ts'

export default function Decision() {
  const t = useTexts()
  const id = usePathParam('id')
  const explanation = useGet<Explanation>(`/decisions/${segment(id)}`)
  const tell = useTell()
  const asked = explanation.data?.chain.findLast((item) => isAsked(item, id))
  return (
    <Page
      title={t('of', { id })}
      heading={asked ? tell(asked) : (explanation.data?.subject ?? id)}
      above={<Link href="/explain">{t('back')}</Link>}
      description={<Id>{id}</Id>}
      actions={
        <span className="no-print">
          <Button icon={<Printer />} onPress={() => window.print()}>
            {t('print')}
          </Button>
        </span>
      }
    >
      <Loaded query={explanation} lines={8}>
        {(found) => (
          <ol className={styles.chain} aria-label={t('chain')}>
            {found.chain.map((item) => (
              <Step key={item.id} item={item} asked={item === asked} />
            ))}
          </ol>
        )}
      </Loaded>
    </Page>
  )
}

/** A message that was held has a line for each time it was looked at. */
const isAsked = (item: ChainItem, id: string) => item.id === id || item.data.message === id

function Step({ item, asked }: { item: ChainItem; asked: boolean }) {
  const t = useTexts()
  const tell = useTell()
  const titles = useTitles()
  const person = personOf(item)
  const { journey, step } = item.data
  const at = typeof step === 'string' ? `?step=${encodeURIComponent(step)}` : ''
  return (
    <li className={join(styles.link, asked && styles.asked)} aria-current={asked ? 'step' : undefined}>
      <span className={styles.dot}>{iconOf(item.kind)}</span>
      <article className={styles.content}>
        <header>
          <p className={styles.sentence}>{tell(item)}</p>
          <p className={styles.meta}>
            <Time at={item.at} show="both" />
            <code>{item.id}</code>
            {person && <Link href={`/people/${encodeURIComponent(person.id)}`}>{person.name}</Link>}
            {typeof journey === 'string' && (
              <Link href={`/journeys/${encodeURIComponent(journey)}${at}`}>{titles.journey(journey)}</Link>
            )}
            {asked && <Badge tone="info">{t('asked_for')}</Badge>}
          </p>
        </header>
        {typeof item.data.message_id === 'string' && (
          <Facts>
            <FactRow name={t('cause')}>
              <Value value={item.data.event} /> <code className="muted">{item.data.message_id}</code>
            </FactRow>
          </Facts>
        )}
        {item.facts.length > 0 && (
          <section>
            <h3>{t('facts')}</h3>
            <Facts>
              {item.facts.map((fact) => (
                <FactRow key={fact.name} name={<code>{fact.name}</code>}>
                  <Value value={fact.value} />
                </FactRow>
              ))}
            </Facts>
          </section>
        )}
        {item.checks.length > 0 && <Checks checks={item.checks} />}
        <details className={styles.raw}>
          <summary>{t('raw')}</summary>
          <Raw data={item.data} label={t('raw')} />
        </details>
      </article>
    </li>
  )
}

function Checks({ checks }: { checks: readonly Check[] }) {
  const t = useTexts()
  const rules = useRules()
  const names = useNames()
  return (
    <section>
      <h3>{t('checks')}</h3>
      <table className={styles.checks}>
        <thead>
          <tr>
            <th scope="col">{t('rule')}</th>
            <th scope="col">{t('channel')}</th>
            <th scope="col">{t('outcome')}</th>
            <th scope="col">{t('saw')}</th>
          </tr>
        </thead>
        <tbody>
          {checks.map((check, index) => (
            <tr key={index}>
              <td>
                {check.outcome === 'passed' ? rules.name(check.rule) : rules.reason(check.rule)}
                <span className={styles.code}>{[check.rule, check.policy].filter(Boolean).join(' · ')}</span>
              </td>
              <td>{check.channel ? names.channel(check.channel) : '–'}</td>
              <td>
                <StateOf state={check.outcome} />
              </td>
              <td>{check.facts ? rules.saw(check.facts) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
