// May we send this to this person now? Every rule that was asked, and what it saw.
import { useQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX, Clock, Hand } from 'lucide-react'
import { useState } from 'react'
import { post } from '../../api/client.ts'
import type { Channel, Verdict } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import type { Check } from '../../api/types.ts'
import { Loaded } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { PersonField } from '../../app/PersonField.tsx'
import { useRules } from '../../app/rules.ts'
import { useSearchParam } from '../../app/url.ts'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { TextField } from '../../ui/Field.tsx'
import { InstantField } from '../../ui/InstantField.tsx'
import { Link } from '../../ui/Link.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './policies.module.css'
import { usePolicyTexts } from './texts.ts'

export function Checker() {
  const t = usePolicyTexts()
  const names = useNames()
  const [profile, setProfile] = useSearchParam('profile')
  const [purpose, setPurpose] = useSearchParam('purpose', 'marketing')
  const [chosen, setChosen] = useSearchParam('channels')
  const [at, setAt] = useSearchParam('at')
  const accounts = useList<Channel>('/channels')
  const kinds = [...new Set(accounts.items.map((account) => account.kind))]
  const channels = chosen === '' ? kinds : chosen.split(',')
  const ready = profile !== '' && purpose !== '' && channels.length > 0
  const verdict = useQuery({
    queryKey: ['/policies/check', profile, purpose, channels.join(), at],
    queryFn: () => post<Verdict>('/policies/check', { profile, purpose, channels, ...(at && { at }) }),
    enabled: ready,
  })
  const toggle = (kind: string) => {
    const next = channels.includes(kind) ? channels.filter((each) => each !== kind) : [...channels, kind]
    if (next.length > 0) setChosen(next.length === kinds.length ? '' : next.join(','))
  }
  return (
    <div className={styles.checker}>
      <Card title={t('question')}>
        <div className="stack">
          <PersonField label={t('person')} value={profile} onChange={setProfile} />
          <Written label={t('purpose')} value={purpose} onWrite={setPurpose} />
          <fieldset className={styles.channels}>
            <legend>{t('channels')}</legend>
            {kinds.length === 0 && !accounts.loading && (
              <p className="soft">
                {t('no_channels')} <Link href="/sources?view=channels">{t('set_up')}</Link>
              </p>
            )}
            {kinds.map((kind) => (
              <label key={kind} className={join(styles.channel, channels.includes(kind) && styles.channelOn)}>
                <input
                  type="checkbox"
                  className="visually-hidden"
                  checked={channels.includes(kind)}
                  onChange={() => toggle(kind)}
                />
                {names.channel(kind)}
              </label>
            ))}
          </fieldset>
          <InstantField label={t('at')} description={t('at_hint')} value={at} onChange={setAt} />
        </div>
      </Card>
      {ready ? (
        <Loaded query={verdict} lines={6}>
          {(data) => <Answer verdict={data} />}
        </Loaded>
      ) : (
        <Empty icon={<Hand />} title={t('ask_first')}>
          {t('ask_first_text')}
        </Empty>
      )}
    </div>
  )
}

/** Asks when one has finished typing. */
function Written({ label, value, onWrite }: { label: string; value: string; onWrite: (to: string) => void }) {
  const [typed, setTyped] = useState(value)
  return (
    <TextField
      label={label}
      value={typed}
      onChange={setTyped}
      onBlur={() => onWrite(typed.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onWrite(typed.trim())
      }}
    />
  )
}

const LOOKS = {
  send: { icon: CircleCheck, tone: 'good' },
  hold: { icon: Clock, tone: 'warn' },
  suppress: { icon: CircleX, tone: 'bad' },
} as const

function Answer({ verdict }: { verdict: Verdict }) {
  const t = usePolicyTexts()
  const names = useNames()
  const rules = useRules()
  const { icon: Icon, tone } = LOOKS[verdict.verdict]
  return (
    <Card>
      <div className="stack">
        <div className={join(styles.verdict, styles[tone])} role="status">
          <Icon aria-hidden />
          <div>
            <b>{t(`verdict_${verdict.verdict}`)}</b>
            <p>
              {verdict.verdict === 'send' &&
                verdict.channel &&
                t('on_channel', { channel: names.spoken(verdict.channel) })}
              {verdict.rule && (
                <>
                  {rules.reason(verdict.rule)} <code>{verdict.rule}</code>
                </>
              )}
              {verdict.until && (
                <>
                  {' · '}
                  {t('goes_out')} <Time at={verdict.until} show="both" />
                </>
              )}
            </p>
          </div>
        </div>
        <section aria-label={t('asked')}>
          <h3 className={styles.asked}>{t('asked')}</h3>
          <ol className={styles.checks}>
            {verdict.checks.map((check, index) => (
              <CheckLine key={index} check={check} />
            ))}
          </ol>
        </section>
      </div>
    </Card>
  )
}

function CheckLine({ check }: { check: Check }) {
  const t = usePolicyTexts()
  const names = useNames()
  const rules = useRules()
  const tone = check.outcome === 'passed' ? 'good' : check.outcome === 'held' ? 'warn' : 'bad'
  const Icon = check.outcome === 'passed' ? CircleCheck : check.outcome === 'held' ? Clock : CircleX
  return (
    <li className={styles.check}>
      <Icon className={styles[tone]} aria-label={t(`outcome_${check.outcome}`)} />
      <div className="grow">
        <span className={styles.heading}>
          <b>{check.outcome === 'passed' ? rules.name(check.rule) : rules.reason(check.rule)}</b>
          <span className="muted">
            {[check.channel && names.channel(check.channel), check.policy].filter(Boolean).join(' · ')}
          </span>
        </span>
        <span className={styles.facts}>
          {check.facts && rules.saw(check.facts)} <code>{check.rule}</code>
        </span>
      </div>
    </li>
  )
}
