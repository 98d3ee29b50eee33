// The workspace's own tests of this journey, run in virtual time; one that is chosen shows its way on the canvas.
import { useQueries, useQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX, RotateCw } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { post } from '../../../api/client.ts'
import type { ScenarioResult, TryResult, Workspace } from '../../../api/definitions.ts'
import { useGet } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { useSearchParam } from '../../../app/url.ts'
import { Button } from '../../../ui/Button.tsx'
import { join } from '../../../ui/class.ts'
import { Empty } from '../../../ui/Empty.tsx'
import { Skeleton } from '../../../ui/Skeleton.tsx'
import styles from '../journeys.module.css'
import { type Coverage, covered, walk } from '../model/graph.ts'
import { SidePanel } from '../SidePanel.tsx'
import { useJourneyTexts } from '../texts.ts'
import { Outcome } from './Outcome.tsx'
import type { TryProps } from './Try.tsx'

const playedThrough = (answers: { data?: TryResult }[]) => answers.map((answer) => answer.data)

/** Whether a scenario's text is about this journey. */
const isAbout = (text: string | undefined, journey: string): boolean =>
  new RegExp(`^journey:\\s*['"]?${journey}['"]?\\s*$`, 'm').test(text ?? '')

interface ScenariosProps extends TryProps {
  /** How many scenarios come by each step, once they have run. */
  onCovered: (coverage: ReadonlyMap<string, Coverage> | null) => void
}

export function Scenarios({ journey, files, drawing, onLit, onCovered, onClose }: ScenariosProps) {
  const t = useJourneyTexts()
  const [chosen, setChosen] = useSearchParam('scenario')
  const workspace = useGet<Workspace>('/workspace', {}, { enabled: !files })
  const all = files ?? workspace.data?.files
  const text = all?.[`journeys/${journey}.yaml`]
  const results = useQuery({
    queryKey: ['/workspace/scenarios', journey, text],
    queryFn: () => post<{ scenarios: ScenarioResult[] }>('/workspace/scenarios', files ? { files } : {}),
    enabled: all !== undefined,
  })
  const mine = useMemo(
    () => results.data?.scenarios.filter((each) => isAbout(all?.[each.file], journey)) ?? [],
    [results.data, all, journey],
  )
  const passed = mine.filter((each) => each.passed).length
  const plays = useQueries({
    queries: mine.map((each) => ({
      queryKey: ['/workspace/try', journey, text, all?.[each.file]],
      queryFn: () => post<TryResult>('/workspace/try', { ...(files && { files }), scenario: all?.[each.file] ?? '' }),
      staleTime: Number.POSITIVE_INFINITY,
    })),
    combine: playedThrough,
  })
  const at = mine.findIndex((each) => each.file === chosen)
  const shown = plays[at]
  useEffect(() => onLit(shown ? walk(drawing, shown.path) : null), [shown, drawing, onLit])
  useEffect(() => {
    const ran = mine.flatMap((each, index) => {
      const play = plays[index]
      return play ? [{ path: walk(drawing, play.path).path, passed: each.passed }] : []
    })
    onCovered(ran.length > 0 ? covered(drawing, ran) : null)
  }, [mine, plays, drawing, onCovered])
  useEffect(
    () => () => {
      onLit(null)
      onCovered(null)
    },
    [onLit, onCovered],
  )
  return (
    <SidePanel
      title={t('scenarios')}
      above={results.data ? t('scenarios_passed', { passed, count: mine.length }) : undefined}
      onClose={onClose}
      footer={
        <Button small icon={<RotateCw />} isDisabled={results.isFetching} onPress={() => void results.refetch()}>
          {t('run_again')}
        </Button>
      }
    >
      {results.error ? (
        <Failure error={results.error} onRetry={() => void results.refetch()} />
      ) : !results.data ? (
        <Skeleton lines={5} />
      ) : mine.length === 0 ? (
        <Empty
          title={t('no_scenarios')}
          snippet={`scenario: ${t('scenario_example')}\njourney: ${journey}\ngiven:\n  profile: {user_id: u1, email: ada@example.com}\nwhen:\n  - at: 2026-03-02T10:00:00Z\n    track: {event: Order Completed}\nthen:\n  - sent: none\n`}
        >
          {t('no_scenarios_text')}
        </Empty>
      ) : (
        <ul className={styles.scenarios}>
          {mine.map((result) => (
            <li key={result.file}>
              <button
                type="button"
                className={join(styles.scenario, chosen === result.file && styles.scenarioOn)}
                aria-pressed={chosen === result.file}
                onClick={() => setChosen(chosen === result.file ? '' : result.file)}
              >
                {result.passed ? (
                  <CircleCheck className={styles.good} aria-label={t('scenario_passed')} />
                ) : (
                  <CircleX className={styles.bad} aria-label={t('scenario_failed')} />
                )}
                <span className="grow">
                  <span>{result.scenario}</span>
                  {!result.passed && <span className={styles.failure}>{result.detail}</span>}
                </span>
                <span className="muted num">
                  {t('milliseconds', { number: Math.round(result.milliseconds * 10) / 10 })}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {shown && <Outcome result={shown} />}
    </SidePanel>
  )
}
