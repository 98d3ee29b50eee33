// Versions: who is still inside which, two of them side by side as drawings and as text, and moving people from one to another.
import { createTwoFilesPatch, OMIT_HEADERS } from 'diff'
import { ArrowRightLeft } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Journey, JourneyVersion } from '../../../api/definitions.ts'
import { useGet } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { useRefusal } from '../../../app/may.ts'
import { useSearchParam } from '../../../app/url.ts'
import { localeOf, useLanguage } from '../../../i18n.ts'
import { Button } from '../../../ui/Button.tsx'
import { Card } from '../../../ui/Card.tsx'
import { Diff } from '../../../ui/Diff.tsx'
import { Select } from '../../../ui/Select.tsx'
import { Skeleton } from '../../../ui/Skeleton.tsx'
import { Badge } from '../../../ui/State.tsx'
import { type Column, Table } from '../../../ui/Table.tsx'
import { Time } from '../../../ui/Time.tsx'
import { Canvas } from '../canvas/Canvas.tsx'
import styles from '../journeys.module.css'
import { readDefinition } from '../model/document.ts'
import { type Difference, differences, draw, numbersFor } from '../model/graph.ts'
import { useJourneyTexts } from '../texts.ts'
import { sameVersion, versionName } from '../words.ts'
import { Move } from './Move.tsx'
import { Moves } from './Moves.tsx'

export function Versions({ journey }: { journey: Journey }) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const refusal = useRefusal()
  const [sort, setSort] = useSearchParam('sort')
  const [moving, setMoving] = useState(false)
  const columns: Column<JourneyVersion>[] = [
    {
      key: 'version',
      header: t('version'),
      width: '10rem',
      narrow: '8.5rem',
      cell: (row) => (
        <span className="row">
          <b className="num">{versionName(row.version)}</b>
          {sameVersion(row.version, journey.version) && <Badge tone="good">{t('current')}</Badge>}
        </span>
      ),
    },
    {
      key: 'published',
      header: t('published_at'),
      width: 'minmax(10rem, 1fr)',
      narrow: 'minmax(0, 1fr)',
      sort: (row) => (row.published_at ? Date.parse(row.published_at) : null),
      cell: (row) => <Time at={row.published_at} show="both" />,
    },
    {
      key: 'running',
      header: t('inside'),
      width: '7rem',
      narrow: '4rem',
      align: 'right',
      sort: (row) => row.running,
      cell: (row) => row.running.toLocaleString(localeOf(language)),
    },
  ]
  return (
    <div className="stack">
      <Card
        flush
        title={t('versions')}
        actions={
          <Button small icon={<ArrowRightLeft />} refused={refusal('workspace_write')} onPress={() => setMoving(true)}>
            {t('move_people')}
          </Button>
        }
      >
        <Table
          main
          label={t('versions')}
          columns={columns}
          rows={journey.versions}
          rowKey={(row) => String(row.version)}
          sort={sort}
          onSort={setSort}
        />
      </Card>
      <Moves journey={journey.journey} />
      <SideBySide journey={journey} />
      {moving && <Move journey={journey} onClose={() => setMoving(false)} />}
    </div>
  )
}

function SideBySide({ journey }: { journey: Journey }) {
  const t = useJourneyTexts()
  const current = String(journey.version)
  const earlier = journey.versions.find((each) => !sameVersion(each.version, journey.version))
  const [left, setLeft] = useSearchParam('left', earlier ? String(earlier.version) : current)
  const [right, setRight] = useSearchParam('right', current)
  const choices = journey.versions.map((each) => ({ value: String(each.version), label: versionName(each.version) }))
  const path = `/journeys/${encodeURIComponent(journey.journey)}`
  const before = useGet<Journey>(path, { version: left })
  const after = useGet<Journey>(path, { version: right })
  const textOf = (query: typeof before, version: string) =>
    sameVersion(query.data?.version, version) ? query.data?.source : undefined
  const [one, other] = [textOf(before, left), textOf(after, right)]
  const difference = useMemo(
    () => (one !== undefined && other !== undefined ? differences(readDefinition(one), readDefinition(other)) : null),
    [one, other],
  )
  const unified = useMemo(
    () => (one && other ? createTwoFilesPatch(left, right, one, other, '', '', { headerOptions: OMIT_HEADERS }) : null),
    [one, other, left, right],
  )
  if (!earlier) return <p className="soft">{t('one_version')}</p>
  const side = (which: 'left' | 'right', query: typeof before, value: string, onChange: (to: string) => void) => (
    <div className={styles.side}>
      <Select
        inline
        label={which === 'left' ? t('before') : t('after_version')}
        value={value}
        onChange={onChange}
        choices={choices}
      />
      {query.error ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data && !sameVersion(query.data.version, value) ? (
        <p className="soft">{t('version_text_gone', { version: versionName(value) })}</p>
      ) : query.data ? (
        <Side journey={query.data} asked={value} difference={difference} side={which} />
      ) : (
        <Skeleton lines={8} />
      )}
    </div>
  )
  const count = difference?.size ?? 0
  return (
    <section className="stack tight" aria-label={t('side_by_side')}>
      <div className="row wrap">
        <h2>{t('side_by_side')}</h2>
        {difference && <span className="soft">{count > 0 ? t('differences', { count }) : t('no_difference')}</span>}
      </div>
      <div className={styles.sides}>
        {side('left', before, left, setLeft)}
        {side('right', after, right, setRight)}
      </div>
      {unified !== null && (
        <Diff
          title={t('text_of_versions', { before: versionName(left), after: versionName(right) })}
          unified={unified}
        />
      )}
    </section>
  )
}

interface SideProps {
  journey: Journey
  asked: string
  difference: Map<string, Difference> | null
  side: 'left' | 'right'
}

function Side({ journey, asked, difference, side }: SideProps) {
  const t = useJourneyTexts()
  const definition = useMemo(() => readDefinition(journey.source), [journey.source])
  const numbers = useMemo(() => numbersFor(draw(definition), journey), [definition, journey])
  const marks = useMemo(() => {
    const shown = new Map<string, Difference>()
    for (const [id, what] of difference ?? []) {
      if (side === 'left' ? what !== 'added' : what !== 'removed') shown.set(id, what)
    }
    return shown
  }, [difference, side])
  return (
    <div className={styles.sideCanvas}>
      <Canvas
        label={t('canvas_of_version', { version: versionName(asked) })}
        definition={definition}
        numbers={numbers}
        marks={marks}
      />
    </div>
  )
}
