// The journey as it runs: its figures, the canvas with what is live, and what stands behind a step.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Journey } from '../../../api/definitions.ts'
import { useGet } from '../../../api/hooks.ts'
import { useSearchParam } from '../../../app/url.ts'
import { useLanguage } from '../../../i18n.ts'
import { Figure } from '../../../ui/Card.tsx'
import { useEdges } from '../../../ui/edges.ts'
import { Select } from '../../../ui/Select.tsx'
import { Time } from '../../../ui/Time.tsx'
import { serverNow } from '../../../ui/time.ts'
import { Canvas, type Lit } from '../canvas/Canvas.tsx'
import styles from '../journeys.module.css'
import { entryWords } from '../model/describe.ts'
import { type Definition, readDefinition } from '../model/document.ts'
import { type Coverage, draw, entryOf, numbersFor } from '../model/graph.ts'
import { useJourneyTexts } from '../texts.ts'
import { Scenarios } from '../try/Scenarios.tsx'
import { Try } from '../try/Try.tsx'
import { since, versionName } from '../words.ts'
import { StepPanel } from './StepPanel.tsx'

export function Live({ journey }: { journey: Journey }) {
  const t = useJourneyTexts()
  const [step, setStep] = useSearchParam('step')
  const [panel, setPanel] = useSearchParam('panel')
  const [range, setRange] = useSearchParam('range', 'all')
  const [lit, setLit] = useState<Lit | null>(null)
  const [coverage, setCoverage] = useState<ReadonlyMap<string, Coverage> | null>(null)
  const definition = useMemo(() => readDefinition(journey.source), [journey.source])
  const drawing = useMemo(() => draw(definition), [definition])
  const opened = useOpened(journey)
  const ranged = useRanged(journey, range)
  const numbers = useMemo(() => {
    const shown = range === 'opened' ? since(opened.journey, journey) : ranged
    return numbersFor(drawing, shown)
  }, [drawing, journey, ranged, range, opened])
  const select = useCallback((id: string | null) => setStep(id ?? ''), [setStep])
  useEffect(() => {
    if (panel === '') setLit(null)
  }, [panel])
  const closePanel = () => setPanel('')
  return (
    <div className={styles.live}>
      <Figures journey={ranged ?? journey} definition={definition} />
      <div className={styles.toolbar}>
        <Select
          inline
          label={t('range')}
          value={range}
          onChange={setRange}
          choices={[
            { value: 'all', label: t('range_all') },
            ...RANGES.map((hours) => ({ value: hours, label: t(`range_${hours}`) })),
            { value: 'opened', label: t('range_opened') },
          ]}
        />
        <span className={styles.hint}>
          {t('version')} {versionName(journey.version)},{' '}
          <Time at={journey.versions.find((each) => each.version === journey.version)?.published_at} />
        </span>
        <span className={styles.hint}>
          {range === 'opened' && (
            <>
              {t('range_since')} <Time at={opened.at} show="clock" />
            </>
          )}
          {ranged?.range && (
            <>
              {t('range_since')} <Time at={ranged.range.from} show="absolute" />. {t('range_means')}
            </>
          )}
        </span>
      </div>
      <div className={styles.workbench}>
        <div className={styles.stage}>
          <Canvas
            label={t('canvas_of', { journey: journey.title })}
            definition={definition}
            numbers={numbers}
            selected={step || null}
            onSelect={select}
            lit={lit}
            coverage={coverage}
          />
        </div>
        {panel === 'try' && <Try journey={journey.journey} onLit={setLit} drawing={drawing} onClose={closePanel} />}
        {panel === 'scenarios' && (
          <Scenarios
            journey={journey.journey}
            onLit={setLit}
            onCovered={setCoverage}
            drawing={drawing}
            onClose={closePanel}
          />
        )}
        {step && panel === '' && (
          <StepPanel journey={journey} definition={definition} step={step} onClose={() => select(null)} />
        )}
      </div>
    </div>
  )
}

const RANGES = ['1', '24', '168', '336'] as const
const HOUR_MS = 3_600_000
const REFRESH_MS = 5_000

/** The journey counted in the last hours; as it is when all is counted, undefined until the answer is there. */
function useRanged(journey: Journey, range: string): Journey | undefined {
  const hours = RANGES.find((each) => each === range)
  // From a whole hour, as the server counts: the same question for an hour long.
  const from = new Date(Math.floor(serverNow() / HOUR_MS - Number(hours ?? 0)) * HOUR_MS).toISOString()
  const counted = useGet<Journey>(
    `/journeys/${encodeURIComponent(journey.journey)}`,
    { version: journey.version, from },
    { every: REFRESH_MS, enabled: hours !== undefined },
  )
  return hours === undefined ? journey : counted.data
}

/** The numbers when this page was opened, so that one can watch what happens since. */
function useOpened(journey: Journey) {
  const first = useRef({ journey, at: new Date().toISOString() })
  if (first.current.journey.journey !== journey.journey || first.current.journey.source !== journey.source) {
    first.current = { journey, at: new Date().toISOString() }
  }
  return first.current
}

function Figures({ journey, definition }: { journey: Journey; definition: Definition }) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const edges = useEdges<HTMLDivElement>()
  const { counts } = journey
  const number = (value: number) => value.toLocaleString(language === 'en' ? 'en-GB' : language)
  const share = (part: number) =>
    counts.entered > 0
      ? t('of_entered', {
          share: (part / counts.entered).toLocaleString(language, { style: 'percent', maximumFractionDigits: 1 }),
        })
      : undefined
  const entries = entryOf(definition)
    .entries.map((entry) => entryWords(entry, t))
    .join(', ')
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={edges} className={styles.figuresRow} tabIndex={0} aria-label={t('figures')}>
      <Figure label={t('inside')} value={number(counts.running)} detail={share(counts.running)} />
      <Figure
        label={t('entered')}
        value={number(counts.entered)}
        detail={
          <span className={styles.oneLine} title={entries}>
            {entries}
          </span>
        }
      />
      {journey.goal === null || journey.goal === undefined ? (
        <Figure label={t('reached_goal')} value="–" detail={t('no_goal')} />
      ) : (
        <Figure label={t('reached_goal')} value={number(counts.goal)} detail={share(counts.goal)} />
      )}
      <Figure label={t('completed')} value={number(counts.completed)} detail={share(counts.completed)} />
      <Figure label={t('exited')} value={number(counts.exited)} detail={share(counts.exited)} />
    </section>
  )
}
