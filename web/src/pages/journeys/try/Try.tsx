// A person played through in virtual time: nothing is sent, and the way he takes lights up.
import { useMutation } from '@tanstack/react-query'
import { FlaskConical, Plus, X } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { post } from '../../../api/client.ts'
import type { TryResult, Workspace } from '../../../api/definitions.ts'
import { useGet } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { Button } from '../../../ui/Button.tsx'
import { Snippet } from '../../../ui/Copy.tsx'
import { TextField } from '../../../ui/Field.tsx'
import { InstantField } from '../../../ui/InstantField.tsx'
import { serverNow } from '../../../ui/time.ts'
import type { Lit } from '../canvas/Canvas.tsx'
import styles from '../journeys.module.css'
import { readDefinition } from '../model/document.ts'
import { type Drawing, walk } from '../model/graph.ts'
import { SidePanel } from '../SidePanel.tsx'
import { useJourneyTexts } from '../texts.ts'
import { Outcome } from './Outcome.tsx'
import { expectations, firstInstant, firstPlay, type Happening, type Play, readMap, scenarioOf } from './scenario.ts'

export interface TryProps {
  journey: string
  /** The files as they are edited; those published when missing. */
  files?: Record<string, string>
  drawing: Drawing
  onLit: (lit: Lit | null) => void
  onClose: () => void
}

export function Try({ journey, files, drawing, onLit, onClose }: TryProps) {
  const t = useJourneyTexts()
  const workspace = useGet<Workspace>('/workspace', {}, { enabled: !files })
  const all = files ?? workspace.data?.files
  const source =
    all?.[`journeys/${journey}.yaml`] ??
    Object.values(all ?? {}).find((text) => text.startsWith(`journey: ${journey}\n`))
  const begin = useMemo(
    () => firstPlay(journey, source ? readDefinition(source) : null, firstInstant(serverNow())),
    [journey, source],
  )
  const [edited, setEdited] = useState<Play | null>(null)
  const play = edited ?? begin
  const set = (change: Partial<Play>) => setEdited({ ...play, ...change })
  const run = useMutation({
    mutationFn: () => post<TryResult>('/workspace/try', { ...(files && { files }), scenario: scenarioOf(play) }),
    onSuccess: (result) => onLit(walk(drawing, result.path)),
    onError: () => onLit(null),
  })
  useEffect(() => () => onLit(null), [onLit])
  const broken = readMap(play.traits) === null || play.happenings.some((each) => readMap(each.properties) === null)
  return (
    <SidePanel
      title={t('try_it')}
      above={t('try_above')}
      onClose={onClose}
      footer={
        <Button
          look="primary"
          icon={<FlaskConical />}
          busy={run.isPending}
          isDisabled={broken}
          onPress={() => run.mutate()}
        >
          {run.isPending ? t('playing') : t('play')}
        </Button>
      }
    >
      <div className={styles.formGrid}>
        <div className={styles.wholeRow}>
          <InstantField label={t('begins_at')} value={play.at} onChange={(at) => set({ at: at || begin.at })} />
        </div>
        <TextField label={t('email')} value={play.email} onChange={(email) => set({ email })} />
        <TextField label={t('phone')} value={play.phone} onChange={(phone) => set({ phone })} placeholder="+49…" />
        <TextField
          label={t('country')}
          value={play.country}
          onChange={(country) => set({ country })}
          placeholder="DE"
        />
        <TextField label={t('time_zone')} value={play.time_zone} onChange={(time_zone) => set({ time_zone })} />
        <div className={styles.wholeRow}>
          <TextField label={t('consent_to')} value={play.consent} onChange={(consent) => set({ consent })} />
        </div>
      </div>
      <TextField
        label={t('traits')}
        value={play.traits}
        onChange={(traits) => set({ traits })}
        placeholder="tier: gold, spent: 120"
        error={readMap(play.traits) === null ? t('not_a_map') : undefined}
      />
      <Happenings play={play} onChange={(happenings) => set({ happenings })} />
      {run.error && <Failure error={run.error} />}
      {run.data && <Outcome result={run.data} />}
      {run.data && (
        <details className={styles.details}>
          <summary>{t('keep_as_scenario')}</summary>
          <Snippet label={`scenarios/${journey}_try.scenario.yaml`}>
            {scenarioOf(play, expectations(run.data.messages), `${journey} ${t('as_tried')}`)}
          </Snippet>
        </details>
      )}
    </SidePanel>
  )
}

function Happenings({ play, onChange }: { play: Play; onChange: (happenings: Happening[]) => void }) {
  const t = useJourneyTexts()
  const { happenings } = play
  const set = (index: number, change: Partial<Happening>) =>
    onChange(happenings.map((each, at) => (at === index ? { ...each, ...change } : each)))
  return (
    <fieldset className={styles.pairs}>
      <legend className={styles.fieldLabel}>{t('what_happens')}</legend>
      {happenings.map((happening, index) => (
        <div key={index} className={styles.happening}>
          {index > 0 && (
            <div className={styles.happeningHead}>
              <TextField
                label={t('after')}
                value={happening.after}
                placeholder="20m"
                onChange={(after) => set(index, { after })}
              />
              <Button
                small
                look="quiet"
                icon={<X />}
                aria-label={t('take_out', { name: happening.event })}
                onPress={() => onChange(happenings.filter((_, at) => at !== index))}
              />
            </div>
          )}
          <TextField label={t('event')} value={happening.event} onChange={(event) => set(index, { event })} />
          <TextField
            label={t('properties')}
            value={happening.properties}
            placeholder="{value: 50.0}"
            error={readMap(happening.properties) === null ? t('not_a_map') : undefined}
            onChange={(properties) => set(index, { properties })}
          />
        </div>
      ))}
      <Button
        small
        icon={<Plus />}
        onPress={() => onChange([...happenings, { after: '20m', event: 'Order Completed', properties: '' }])}
      >
        {t('add_event')}
      </Button>
    </fieldset>
  )
}
