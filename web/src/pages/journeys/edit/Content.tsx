// The fields of each step kind.
import { Plus, X } from 'lucide-react'
import { Button } from '../../../ui/Button.tsx'
import { Select } from '../../../ui/Select.tsx'
import styles from '../journeys.module.css'
import { armsOf, type Definition, END, mapOf, type Step } from '../model/document.ts'
import { useJourneyTexts } from '../texts.ts'
import { Known, Line, Ordered, Pairs } from './fields.tsx'
import type { Around } from './surroundings.ts'

interface ContentProps {
  step: Step
  definition: Definition
  around: Around
  set: (path: (string | number)[], value: unknown) => void
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const numeric = (value: string): unknown => (/^\d+(\.\d+)?$/.test(value) ? Number(value) : value)

export function Content(props: ContentProps) {
  switch (props.step.kind) {
    case 'send':
      return <SendFields {...props} />
    case 'wait':
      return <WaitFields {...props} />
    case 'branch':
      return <BranchFields {...props} />
    case 'split':
      return <SplitFields {...props} />
    case 'set':
    case 'emit':
    case 'subscribe':
    case 'journey':
    case 'parallel':
    case 'goto':
      return <OtherFields {...props} />
    default:
      return null
  }
}

function SendFields({ step, around, set }: ContentProps) {
  const t = useJourneyTexts()
  const send = mapOf(step.content)
  const channels = Array.isArray(send.channels) ? send.channels.map(text) : []
  const known = [...new Set([...around.channels, ...(around.variants.get(text(send.template)) ?? [])])]
  return (
    <>
      <Known
        label={t('template')}
        value={text(send.template)}
        known={around.templates}
        onWrite={(name) => set(['send', 'template'], name)}
      />
      <Ordered
        label={t('channels_in_order')}
        values={channels}
        known={known}
        onWrite={(list) => set(['send', 'channels'], list)}
      />
      <Line
        label={t('fallback_after')}
        value={text(send.fallback_after)}
        placeholder="10m"
        description={t('fallback_rule')}
        onWrite={(value) => set(['send', 'fallback_after'], value)}
      />
      <Line
        label={t('purpose_here')}
        value={text(send.purpose)}
        description={t('purpose_rule')}
        onWrite={(value) => set(['send', 'purpose'], value)}
      />
    </>
  )
}

const WAITS = ['for', 'time', 'at', 'event', 'audience'] as const
type WaitKind = (typeof WAITS)[number]

function WaitFields({ step, around, set }: ContentProps) {
  const t = useJourneyTexts()
  const wait = mapOf(step.content)
  const until = mapOf(wait.until)
  const audience = mapOf(wait.audience)
  const change = 'left' in audience ? 'left' : 'entered'
  const kind: WaitKind =
    'event' in wait
      ? 'event'
      : 'audience' in wait
        ? 'audience'
        : 'at' in until
          ? 'at'
          : 'until' in wait
            ? 'time'
            : 'for'
  const begin: Record<WaitKind, unknown> = {
    for: { for: '1d' },
    time: { until: { time: '09:00' } },
    at: { until: { at: 'now' } },
    event: { event: 'Order Completed', timeout: '1d' },
    audience: { audience: { entered: around.audiences[0] ?? 'buyers' }, timeout: '7d' },
  }
  const timeout = (
    <Line
      label={t('timeout')}
      value={text(wait.timeout)}
      placeholder="1d"
      description={t('timeout_rule')}
      onWrite={(value) => set(['wait', 'timeout'], value)}
    />
  )
  return (
    <>
      <Select
        label={t('waits')}
        value={kind}
        onChange={(chosen) => set(['wait'], begin[chosen])}
        choices={WAITS.map((each) => ({ value: each, label: t(`wait_${each}`) }))}
      />
      {kind === 'for' && (
        <Line
          label={t('how_long')}
          value={text(wait.for)}
          placeholder="24h"
          description={t('duration_rule')}
          onWrite={(value) => set(['wait', 'for'], value)}
        />
      )}
      {kind === 'time' && (
        <>
          <Line
            label={t('time_of_day')}
            value={text(until.time)}
            placeholder="09:00"
            description={t('local_time_rule')}
            onWrite={(value) => set(['wait', 'until', 'time'], value)}
          />
          <Line
            label={t('days')}
            value={Array.isArray(until.days) ? until.days.join(', ') : ''}
            placeholder="mon, tue"
            onWrite={(value) => set(['wait', 'until', 'days'], value ? value.split(/[\s,]+/) : undefined)}
          />
        </>
      )}
      {kind === 'at' && (
        <Line
          label={t('instant')}
          value={text(until.at)}
          placeholder="event.properties.departure"
          onWrite={(value) => set(['wait', 'until', 'at'], value)}
        />
      )}
      {kind === 'event' && (
        <>
          <Line label={t('event')} value={text(wait.event)} onWrite={(value) => set(['wait', 'event'], value)} />
          <Line
            label={t('only_if')}
            value={text(wait.where)}
            placeholder="event.properties.value > 20"
            onWrite={(value) => set(['wait', 'where'], value)}
          />
          {timeout}
        </>
      )}
      {kind === 'audience' && (
        <>
          <Select
            label={t('change')}
            value={change}
            onChange={(to) => set(['wait', 'audience'], { [to]: text(audience[change]) })}
            choices={[
              { value: 'entered', label: t('change_entered') },
              { value: 'left', label: t('change_left') },
            ]}
          />
          <Known
            label={t('audience')}
            value={text(audience[change])}
            known={around.audiences}
            onWrite={(name) => set(['wait', 'audience'], { [change]: name })}
          />
          {timeout}
        </>
      )}
    </>
  )
}

function BranchFields({ step, set }: ContentProps) {
  const t = useJourneyTexts()
  const arms = Array.isArray(step.content) ? step.content.map(mapOf) : []
  const conditions = arms.flatMap((arm, index) => ('when' in arm ? [{ when: text(arm.when), index }] : []))
  const add = () => {
    const last = arms.findIndex((arm) => 'otherwise' in arm)
    const fresh = { when: 'profile.country == "DE"', to: END }
    const all = last < 0 ? [...arms, fresh] : [...arms.slice(0, last), fresh, ...arms.slice(last)]
    set(['branch'], all)
  }
  return (
    <fieldset className={styles.pairs}>
      <legend className={styles.fieldLabel}>{t('conditions')}</legend>
      {conditions.map((condition, place) => (
        <div key={condition.index} className={styles.one}>
          <Line
            label={t('condition', { number: place + 1 })}
            value={condition.when}
            lines={2}
            onWrite={(value) => set(['branch', condition.index, 'when'], value)}
          />
          {conditions.length > 1 && (
            <Button
              small
              look="quiet"
              icon={<X />}
              aria-label={t('take_out', { name: condition.when })}
              onPress={() => set(['branch', condition.index], undefined)}
            />
          )}
        </div>
      ))}
      <p className="second">{t('condition_rule')}</p>
      <Button small icon={<Plus />} onPress={add}>
        {t('add_condition')}
      </Button>
    </fieldset>
  )
}

function SplitFields({ step, set }: ContentProps) {
  const t = useJourneyTexts()
  const split = mapOf(step.content)
  const arms = armsOf(split.arms)
  const sum = arms.reduce((total, arm) => total + arm.weight, 0)
  return (
    <>
      <Pairs
        label={t('arms')}
        names={t('arm')}
        values={t('percent')}
        rows={arms.map((arm) => ({ name: arm.name, value: String(arm.weight) }))}
        onWrite={(rows) =>
          set(['split', 'arms'], Object.fromEntries(rows.map((row) => [row.name, Number(row.value) || 0])))
        }
      />
      {Math.round(sum) !== 100 && <p className={styles.formError}>{t('arms_sum', { sum })}</p>}
      <Line
        label={t('holdout')}
        value={text(split.holdout)}
        placeholder="10"
        description={t('holdout_rule')}
        onWrite={(value) => set(['split', 'holdout'], value === '' ? undefined : numeric(value))}
      />
    </>
  )
}

const pairsOf = (value: unknown) =>
  Object.entries(mapOf(value)).map(([name, each]) => ({ name, value: text(each ?? 'null') }))
const mapFrom = (rows: { name: string; value: string }[]) =>
  Object.fromEntries(rows.map((row) => [row.name, row.value === 'null' ? null : row.value || '""']))

function OtherFields({ step, definition, around, set }: ContentProps) {
  const t = useJourneyTexts()
  const content = mapOf(step.content)
  switch (step.kind) {
    case 'set':
      return (
        <>
          <Pairs
            label={t('traits')}
            names={t('trait')}
            values={t('value')}
            rows={pairsOf(content)}
            onWrite={(rows) => set(['set'], mapFrom(rows))}
          />
          <p className="second">{t('expression_rule')}</p>
        </>
      )
    case 'emit':
      return (
        <>
          <Line label={t('event')} value={text(content.event)} onWrite={(value) => set(['emit', 'event'], value)} />
          <Pairs
            label={t('properties')}
            names={t('property')}
            values={t('value')}
            rows={pairsOf(content.properties)}
            onWrite={(rows) => set(['emit', 'properties'], rows.length > 0 ? mapFrom(rows) : undefined)}
          />
          <p className="second">{t('expression_rule')}</p>
        </>
      )
    case 'subscribe':
      return (
        <>
          <Line
            label={t('purpose')}
            value={text(content.purpose)}
            onWrite={(value) => set(['subscribe', 'purpose'], value)}
          />
          <Known
            label={t('channel_or_all')}
            value={text(content.channel)}
            known={around.channels}
            onWrite={(value) => set(['subscribe', 'channel'], value)}
          />
          <Select
            label={t('consent')}
            value={content.granted === false ? 'no' : 'yes'}
            onChange={(value) => set(['subscribe', 'granted'], value === 'no' ? false : undefined)}
            choices={[
              { value: 'yes', label: t('granted') },
              { value: 'no', label: t('withdrawn') },
            ]}
          />
        </>
      )
    case 'journey': {
      const name = typeof step.content === 'string' ? step.content : text(content.name)
      const wait = content.wait === true
      const write = (to: string, waits: boolean) => set(['journey'], waits ? { name: to, wait: true } : to)
      return (
        <>
          <Known label={t('journey')} value={name} known={around.journeys} onWrite={(to) => write(to, wait)} />
          <Select
            label={t('and_then')}
            value={wait ? 'wait' : 'on'}
            onChange={(value) => write(name, value === 'wait')}
            choices={[
              { value: 'on', label: t('goes_on') },
              { value: 'wait', label: t('waits_for_end') },
            ]}
          />
        </>
      )
    }
    case 'parallel':
      return (
        <Select
          label={t('join')}
          value={content.join === 'any' ? 'any' : 'all'}
          onChange={(value) => set(['parallel', 'join'], value === 'any' ? 'any' : undefined)}
          choices={[
            { value: 'all', label: t('join_all_detail') },
            { value: 'any', label: t('join_any_detail') },
          ]}
        />
      )
    default:
      return (
        <>
          <Known
            label={t('back_to')}
            value={text(content.to)}
            known={definition.steps
              .filter((each) => each.scope.list === step.scope.list && each !== step)
              .map((each) => each.id)}
            onWrite={(value) => set(['goto', 'to'], value)}
          />
          <Line
            label={t('at_most_times')}
            value={text(content.max)}
            onWrite={(value) => set(['goto', 'max'], numeric(value))}
          />
        </>
      )
  }
}
