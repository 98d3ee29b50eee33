// What a step does and what a way means, in words of the reader's language.

import { span, spanAfter, spoken } from '../../../app/names.ts'
import type { useJourneyTexts } from '../texts.ts'
import { armsOf, mapOf, type Step, type Way } from './document.ts'
import type { EntryFacts } from './graph.ts'

type Translate = ReturnType<typeof useJourneyTexts>

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(text) : value ? [text(value)] : [])

/** `on_hold` reads as "on hold"; a title as it is written. */
export const nameOf = (step: Step): string => step.title ?? step.id.replaceAll('_', ' ')

export function detailOf(step: Step, t: Translate): string {
  const content = mapOf(step.content)
  switch (step.kind) {
    case 'send':
      return `${text(content.template)} · ${list(content.channels).map(spoken).join(' → ')}`
    case 'wait':
      return waitOf(content, t)
    case 'branch': {
      const arms = Array.isArray(step.content) ? step.content.map(mapOf).filter((arm) => 'when' in arm) : []
      return arms.length === 1 ? text(arms[0]?.when) : t('of_conditions', { count: arms.length })
    }
    case 'split':
      return armsOf(content.arms)
        .map((arm) => t('arm_share', { name: arm.name, weight: arm.weight }))
        .join(' · ')
    case 'set':
      return Object.entries(content)
        .map(([name, value]) => (value === null ? `− ${name}` : `${name} = ${text(value)}`))
        .join(', ')
    case 'emit':
      return text(content.event)
    case 'subscribe':
      return `${text(content.purpose)}${content.channel ? ` · ${text(content.channel)}` : ''} · ${content.granted === false ? t('withdrawn') : t('granted')}`
    case 'journey':
      return typeof step.content === 'string' ? step.content : text(content.name)
    case 'parallel':
      return content.join === 'any' ? t('join_any_detail') : t('join_all_detail')
    case 'goto':
      return t('back_at_most', { step: text(content.to), count: Number(content.max) || 0 })
    case 'end':
      return t('ends_here')
    case 'unknown':
      return t('says_nothing')
    default:
      return t('not_there_yet')
  }
}

function waitOf(wait: Record<string, unknown>, t: Translate): string {
  const timeout = wait.timeout ? `, ${t('at_most', { time: span(text(wait.timeout)) })}` : ''
  if ('for' in wait) return span(text(wait.for))
  if ('event' in wait) return t('until_event', { event: text(wait.event) }) + timeout
  if ('audience' in wait) return changeOf(wait.audience, t) + timeout
  const until = mapOf(wait.until)
  if (until.at) return t('until_time', { time: text(until.at) })
  const days = list(until.days)
  return t('until_time', { time: text(until.time) }) + (days.length > 0 ? ` · ${days.join(', ')}` : '')
}

function changeOf(audience: unknown, t: Translate): string {
  const change = mapOf(audience)
  return 'left' in change
    ? t('audience_left', { audience: text(change.left) })
    : t('audience_entered', { audience: text(change.entered) })
}

/** One way in: an event with its condition, a change of an audience, a clock, a call. */
export function entryWords(entry: Record<string, unknown>, t: Translate): string {
  if ('audience' in entry) return changeOf(entry.audience, t)
  if ('schedule' in entry) {
    const schedule = mapOf(entry.schedule)
    return t('by_schedule', { time: text(schedule.at), audience: text(schedule.audience) })
  }
  if ('broadcast' in entry) {
    const broadcast = mapOf(entry.broadcast)
    return t('by_broadcast', { event: text(broadcast.event), audience: text(broadcast.audience) })
  }
  if ('api' in entry) return t('by_api')
  return text(entry.event)
}

export function reentryWords(facts: EntryFacts, t: Translate): string {
  const rule = facts.reentry
  if (rule === 'always') return t('reentry_always')
  const after = mapOf(rule).after
  return after ? t('reentry_after', { time: spanAfter(text(after)) }) : t('reentry_never')
}

export function goalWords(facts: EntryFacts, t: Translate): string | null {
  if (!facts.goal) return null
  const within = facts.goal.within ? ` ${t('within', { time: spanAfter(text(facts.goal.within)) })}` : ''
  return `${text(facts.goal.event)}${within}`
}

const SAID = [
  'sent',
  'suppressed',
  'failed',
  'matched',
  'timeout',
  'holdout',
  'otherwise',
  'exceeded',
  'joined',
] as const
type Said = (typeof SAID)[number]

/** What has to happen for this way; empty when nothing has to. */
export function wayWords(way: Way, t: Translate): string {
  if (way.outcome === null) return ''
  if (way.kind === 'when') return way.outcome
  if (way.kind === 'goto' && way.outcome === 'to') return t('way_again')
  if (way.kind === 'next') return ''
  return (SAID as readonly string[]).includes(way.outcome) ? t(`way_${way.outcome as Said}`) : way.outcome
}
