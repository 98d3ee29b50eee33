// The journeys somebody is or was on, each drawn as its steps with his place among them.
import { Route } from 'lucide-react'
import { segment } from '../../api/client.ts'
import { useGet } from '../../api/hooks.ts'
import type { Enrollment } from '../../api/types.ts'
import { worded } from '../../app/names.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { useOutcome } from '../../app/tell.ts'
import { useAppTexts } from '../../app/texts.ts'
import { useWaits } from '../../app/waits.ts'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Link } from '../../ui/Link.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './enrollments.module.css'
import { useTexts } from './texts.ts'

interface Drawn {
  graph: { nodes: { id: string; kind: string; title: string }[] }
}

export function Enrollments({ enrollments }: { enrollments: readonly Enrollment[] }) {
  const t = useTexts()
  if (enrollments.length === 0) {
    return (
      <Card>
        <Empty icon={<Route />} title={t('journeys_none')}>
          {t('journeys_none_text')}
        </Empty>
      </Card>
    )
  }
  const running = enrollments.filter((enrollment) => enrollment.state !== 'ended')
  const ended = enrollments.filter((enrollment) => enrollment.state === 'ended')
  return (
    <ul className="stack" aria-label={t('journeys')}>
      {[...running, ...ended].map((enrollment) => (
        <li key={enrollment.id}>
          <Passage enrollment={enrollment} />
        </li>
      ))}
    </ul>
  )
}

function Passage({ enrollment }: { enrollment: Enrollment }) {
  const t = useTexts()
  const app = useAppTexts()
  const outcome = useOutcome()
  const waits = useWaits()
  const running = enrollment.state !== 'ended'
  const at = enrollment.step ? `?step=${encodeURIComponent(enrollment.step)}` : ''
  return (
    <Card className={running ? undefined : styles.over}>
      <div className={styles.top}>
        <h3>
          <Link href={`/journeys/${encodeURIComponent(enrollment.journey)}${at}`}>
            {enrollment.title || enrollment.journey}
          </Link>
        </h3>
        <StateOf state={enrollment.state} />
        {enrollment.key && <code className="muted">{enrollment.key}</code>}
        <span className={styles.side}>
          <span className="muted">
            {t('entered')} <Time at={enrollment.entered_at} />
          </span>
          <Link href={`/explain/${encodeURIComponent(enrollment.id)}`}>{app('why')}</Link>
        </span>
      </div>
      {running && <Steps enrollment={enrollment} />}
      <p className="soft">
        {running && enrollment.waiting_for && waits(enrollment.waiting_for)}{' '}
        {running && enrollment.until && (
          <>
            {t('until')} <Time at={enrollment.until} show="both" />
          </>
        )}
        {enrollment.outcome && t('outcome', { outcome: outcome(enrollment.outcome) })}
      </p>
    </Card>
  )
}

/** The steps in the order of the definition; branches are drawn on the journey's own page. */
function Steps({ enrollment }: { enrollment: Enrollment }) {
  const t = useTexts()
  const journey = useGet<Drawn>(`/journeys/${segment(enrollment.journey)}`, { version: enrollment.version })
  const steps = journey.data?.graph.nodes.filter((node) => node.kind !== 'entry' && node.kind !== 'end') ?? []
  const place = steps.findIndex((step) => step.id === enrollment.step)
  if (place < 0) return enrollment.step ? <p className="mono">{enrollment.step}</p> : null
  return (
    <ol className={styles.steps}>
      {steps.map((step, index) => (
        <li
          key={step.id}
          className={join(styles.step, index === place && styles.here)}
          aria-current={index === place ? 'step' : undefined}
        >
          <span className="clip">{worded(step.id)}</span>
          {index === place && <span className="visually-hidden">{t('you_are_here')}</span>}
        </li>
      ))}
    </ol>
  )
}
