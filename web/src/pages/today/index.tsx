// Today: what flows, what needs a person, what was just decided.
import { CircleCheck, Inbox, TriangleAlert } from 'lucide-react'
import { useMemo } from 'react'
import { useGet } from '../../api/hooks.ts'
import { useLive } from '../../api/stream.ts'
import type { Attention, Overview } from '../../api/types.ts'
import { arrivedShare } from '../../app/delivery.ts'
import { Loaded } from '../../app/Loaded.tsx'
import { NewestDecisions } from '../../app/NewestDecisions.tsx'
import { Page } from '../../app/Page.tsx'
import { useAppTexts } from '../../app/texts.ts'
import { useWording } from '../../app/wording.ts'
import { useLanguage } from '../../i18n.ts'
import { Card, Figure } from '../../ui/Card.tsx'
import { Chart } from '../../ui/Chart.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Link } from '../../ui/Link.tsx'
import { Said } from '../../ui/Said.tsx'
import { Time } from '../../ui/Time.tsx'
import { MessagesByChannel } from './MessagesByChannel.tsx'
import { useTexts } from './texts.ts'
import styles from './today.module.css'

const FIRST_EVENT = `curl ${typeof window === 'undefined' ? '' : window.location.origin}/v1/track -u WRITE_KEY: \\
  -H 'content-type: application/json' \\
  -d '{"userId": "ada", "event": "Product Viewed"}'`

export default function Today() {
  const t = useAppTexts()
  const asked = useGet<Overview>('/overview')
  const live = useLive((live) => live.overview)
  return (
    <Page title={t('today')}>
      {live ? <Now overview={live} /> : <Loaded query={asked}>{(overview) => <Now overview={overview} />}</Loaded>}
    </Page>
  )
}

function Now({ overview }: { overview: Overview }) {
  const t = useTexts()
  const empty = overview.events_total === 0 && overview.profiles === 0
  return (
    <>
      <Figures overview={overview} />
      {empty && (
        <Card>
          <Empty icon={<Inbox />} title={t('empty')} snippet={FIRST_EVENT}>
            {t('empty_text')}
          </Empty>
        </Card>
      )}
      <div className={styles.columns}>
        <div className="stack">
          <Flow rates={overview.rates} />
          <MessagesByChannel messages={overview.messages} />
        </div>
        <div className="stack">
          <NeedsAPerson attention={overview.attention} />
          <NewestDecisions max={12} />
        </div>
      </div>
    </>
  )
}

function Figures({ overview }: { overview: Overview }) {
  const t = useTexts()
  const [language] = useLanguage()
  const whole = useMemo(() => new Intl.NumberFormat(language, { maximumFractionDigits: 0 }), [language])
  const percent = useMemo(
    () => new Intl.NumberFormat(language, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    [language],
  )
  const arrived = arrivedShare(overview.messages)
  return (
    <Card className={styles.figures}>
      <Figure
        label={t('events_per_second')}
        value={whole.format(overview.events_per_second)}
        detail={t('in_all', { total: overview.events_total })}
      />
      <Figure
        label={t('decisions_per_second')}
        value={whole.format(overview.decisions_per_second)}
        detail={t('in_all', { total: overview.decisions_total })}
      />
      <Figure label={t('people')} value={whole.format(overview.profiles)} />
      <Figure label={t('enrollments')} value={whole.format(overview.enrollments_running)} />
      <Figure
        label={t('delivery_rate')}
        value={arrived.share === null ? '–' : percent.format(arrived.share)}
        detail={t('delivery_detail', { arrived: arrived.arrived, known: arrived.known })}
      />
    </Card>
  )
}

const SECONDS = 120

/** What stands for the seconds of the two minutes before the server began. */
const before = <T,>(known: readonly unknown[], value: (missing: number) => T): T[] =>
  Array.from({ length: Math.max(0, SECONDS - known.length) }, (_, at) => value(SECONDS - known.length - at))

function Flow({ rates }: { rates: Overview['rates'] }) {
  const t = useTexts()
  const times = useMemo(() => {
    const known = rates.map((second) => Math.floor(new Date(second.at).getTime() / 1000))
    const first = known[0] ?? 0
    return [...before(known, (missing) => first - missing), ...known]
  }, [rates])
  const series = useMemo(() => {
    const line = (of: 'events' | 'decisions') => [...before(rates, () => null), ...rates.map((second) => second[of])]
    return [
      { label: t('events'), values: line('events'), fill: true },
      { label: t('decisions'), values: line('decisions') },
    ]
  }, [rates, t])
  return (
    <Card title={t('flow')} actions={<span className="muted">{t('flow_detail')}</span>}>
      <Chart label={t('flow')} times={times} series={series} height={190} />
    </Card>
  )
}

/** What to do, by what it is about. */
const HINTS = {
  channel_unconfigured: 'hint_unconfigured',
  channel_down: 'hint_down',
  dead_letters: 'hint_refused',
  source_silent: 'hint_silent',
  source_jump: 'hint_jump',
  identity_guarded: 'hint_guarded',
  clock: 'hint_clock',
  not_ready: 'hint_not_ready',
} as const satisfies Record<Attention['kind'], string>

/** What is ours has no name of its own. */
const SUBJECTS = {
  dead_letters: 'subject_dead_letters',
  clock: 'subject_clock',
  not_ready: 'subject_not_ready',
} as const
const isOurs = (kind: string): kind is keyof typeof SUBJECTS => kind in SUBJECTS

const URGENT: readonly Attention['kind'][] = ['channel_down', 'not_ready']

function NeedsAPerson({ attention }: { attention: Attention[] }) {
  const t = useTexts()
  const inWords = useWording()
  return (
    <Card title={t('attention')} flush>
      {attention.length === 0 ? (
        <div className={styles.calm}>
          <CircleCheck aria-hidden />
          <div>
            <p>{t('attention_none')}</p>
            <p className="muted">{t('attention_none_text')}</p>
          </div>
        </div>
      ) : (
        <ul>
          {attention.map((item) => (
            <li key={`${item.kind} ${item.subject}`} className={styles.attention}>
              <TriangleAlert aria-hidden className={URGENT.includes(item.kind) ? styles.urgent : undefined} />
              <div>
                <p>
                  <Link href={item.href}>{isOurs(item.kind) ? t(SUBJECTS[item.kind]) : item.subject}</Link>{' '}
                  {item.since && (
                    <span className="muted">
                      <Time at={item.since} />
                    </span>
                  )}
                </p>
                <p className="soft">
                  <Said text={inWords(item.wording, item.detail)} />
                </p>
                <p className="muted">
                  {item.kind === 'not_ready' ? (
                    <a href={`/docs/errors/${item.subject}`} target="_blank" rel="noreferrer">
                      {t(HINTS[item.kind])}
                    </a>
                  ) : (
                    <Said text={t(HINTS[item.kind])} />
                  )}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
