// What stands behind a step: its numbers, who waits there, since when and until when.
import { UsersRound } from 'lucide-react'
import type { Journey, StepEnrollment } from '../../../api/definitions.ts'
import { useList } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { StateOf } from '../../../app/StateOf.tsx'
import { useAppTexts } from '../../../app/texts.ts'
import { useWaits } from '../../../app/waits.ts'
import { useLanguage } from '../../../i18n.ts'
import { Button } from '../../../ui/Button.tsx'
import { FactRow, Facts } from '../../../ui/Card.tsx'
import { Link } from '../../../ui/Link.tsx'
import { Skeleton } from '../../../ui/Skeleton.tsx'
import { Time } from '../../../ui/Time.tsx'
import styles from '../journeys.module.css'
import { detailOf, entryWords, goalWords, nameOf, reentryWords, wayWords } from '../model/describe.ts'
import type { Definition, Step } from '../model/document.ts'
import { draw, ENTRY, entryOf, numbersFor } from '../model/graph.ts'
import { SidePanel } from '../SidePanel.tsx'
import { useJourneyTexts } from '../texts.ts'

const REFRESH_MS = 5_000

interface StepPanelProps {
  journey: Journey
  definition: Definition
  step: string
  onClose: () => void
}

export function StepPanel({ journey, definition, step: id, onClose }: StepPanelProps) {
  const t = useJourneyTexts()
  const step = definition.byId.get(id)
  if (id === ENTRY) return <EntryPanel definition={definition} onClose={onClose} />
  return (
    <SidePanel title={step ? nameOf(step) : id} above={step && t(`kind_${step.kind}`)} onClose={onClose}>
      {step ? (
        <>
          <p className="soft">{detailOf(step, t)}</p>
          <Ways journey={journey} definition={definition} step={step} />
        </>
      ) : (
        <p className="soft">{t('step_gone')}</p>
      )}
      <Waiting journey={journey} step={id} />
    </SidePanel>
  )
}

function EntryPanel({ definition, onClose }: { definition: Definition; onClose: () => void }) {
  const t = useJourneyTexts()
  const facts = entryOf(definition)
  const where = facts.entries.map((entry) => entry.where).filter(Boolean)
  return (
    <SidePanel
      title={facts.entries.map((entry) => entryWords(entry, t)).join(', ')}
      above={t('kind_entry')}
      onClose={onClose}
    >
      <Facts>
        {where.length > 0 && (
          <FactRow name={t('only_if')}>
            <code>{where.join(', ')}</code>
          </FactRow>
        )}
        <FactRow name={t('reentry')}>{reentryWords(facts, t)}</FactRow>
        {facts.key && (
          <FactRow name={t('once_per')}>
            <code>{facts.key}</code>
          </FactRow>
        )}
        {facts.exits.length > 0 && (
          <FactRow name={t('leaves_on')}>{facts.exits.map((exit) => entryWords(exit, t)).join(', ')}</FactRow>
        )}
        {facts.goal && <FactRow name={t('goal')}>{goalWords(facts, t)}</FactRow>}
        {facts.purpose && <FactRow name={t('purpose')}>{facts.purpose}</FactRow>}
      </Facts>
    </SidePanel>
  )
}

/** How many went which way on. */
function Ways({ journey, definition, step }: { journey: Journey; definition: Definition; step: Step }) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const drawing = draw(definition)
  const numbers = numbersFor(drawing, journey)
  const arrows = drawing.arrows.filter((arrow) => arrow.from === step.id)
  const number = (value: number) => value.toLocaleString(language === 'en' ? 'en-GB' : language)
  const left = numbers.boxes.get(step.id)?.left ?? 0
  const nameOfTarget = (id: string) => {
    const target = definition.byId.get(id.replace('@join:', ''))
    return id.startsWith('@stop') ? t('end') : target ? nameOf(target) : id
  }
  return (
    <ul className={styles.ways}>
      {arrows.map((arrow) => {
        const words = arrow.ways.map((way) => wayWords(way, t)).filter(Boolean)
        const counted = numbers.arrows.get(arrow.id)
        return (
          <li key={arrow.id} className={styles.way}>
            <span className={styles.wayBar} style={{ width: `${(counted?.share ?? 0) * 100}%` }} />
            <span className="clip">{words.length > 0 ? words.join(', ') : t('on')}</span>
            <span className="soft clip">→ {nameOfTarget(arrow.to)}</span>
            <b className="num">{counted ? number(counted.count) : '–'}</b>
          </li>
        )
      })}
      {left > 0 && (
        <li className={styles.way}>
          <span className="clip">{t('left_here')}</span>
          <span className="muted clip">{t('left_here_why')}</span>
          <b className="num">{number(left)}</b>
        </li>
      )}
    </ul>
  )
}

function Waiting({ journey, step }: { journey: Journey; step: string }) {
  const t = useJourneyTexts()
  const app = useAppTexts()
  const waits = useWaits()
  const path = `/journeys/${encodeURIComponent(journey.journey)}/steps/${encodeURIComponent(step)}/enrollments`
  const list = useList<StepEnrollment>(path, {}, { every: REFRESH_MS })
  return (
    <section className={styles.section} aria-label={t('who_waits')}>
      <h3>{t('who_waits')}</h3>
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={4} />
      ) : list.items.length === 0 ? (
        <p className={styles.nobody}>
          <UsersRound aria-hidden /> {t('nobody_waits')}
        </p>
      ) : (
        <ul className={styles.people}>
          {list.items.map((enrollment) => (
            <li key={enrollment.id} className={styles.person}>
              <span className="row between">
                <Link href={`/people/${encodeURIComponent(enrollment.profile)}`} className={styles.personName}>
                  {enrollment.user_id || enrollment.profile}
                </Link>
                <StateOf state={enrollment.state} />
              </span>
              <span className="second">
                {t('inside_since')} <Time at={enrollment.entered_at} />
                {enrollment.until && (
                  <>
                    {' · '}
                    {t('until')} <Time at={enrollment.until} />
                  </>
                )}
                {enrollment.waiting_for && ` · ${waits(enrollment.waiting_for)}`}
              </span>
              <Link href={`/explain/${encodeURIComponent(enrollment.id)}`} className={styles.why}>
                {app('why')}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {list.more && (
        <Button small onPress={list.loadMore}>
          {t('show_more')}
        </Button>
      )}
    </section>
  )
}
