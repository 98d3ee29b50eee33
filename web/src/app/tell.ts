// Decisions told in the reader's language, from what the engine wrote. The server tells them too, in English only:
// its sentence stands where a kind of decision is not known here.
import { useMemo } from 'react'
import { defineTexts, type Translate, useLanguage } from '../i18n.ts'
import { absolute } from '../ui/time.ts'
import { useNames, worded } from './names.ts'
import { useRules } from './rules.ts'
import { useTitles } from './titles.ts'

const texts = {
  en: {
    enrolled: 'Entered “{{journey}}”{{key}}{{cause}}',
    key: ' for {{key}}',
    step: 'Step “{{step}}”: {{went}}, on to “{{to}}”',
    step_end: 'Step “{{step}}”: {{went}}, to the end',
    message_sent: '{{template}} sent{{by}}{{address}}',
    message_suppressed: '{{template}} not sent{{by}}: {{rule}}',
    message_held: '{{template}} held{{by}} until {{until}}: {{rule}}',
    message_failed: '{{template}} failed{{by}}: {{reason}}',
    by: ' by {{channel}}',
    address: ' to {{address}}',
    exposure: 'Experiment {{experiment}}: arm {{arm}}',
    goal: 'Reached the goal of “{{journey}}”{{cause}}',
    ended: 'Left “{{journey}}”: {{outcome}}{{cause}}',
    audience_entered: 'Entered the audience “{{audience}}”{{cause}}',
    audience_left: 'Left the audience “{{audience}}”{{cause}}',
    trait: 'Trait {{trait}} set to {{value}}',
    consent_granted: 'Consent to {{purpose}}{{by}} given{{cause}}',
    consent_withdrawn: 'Consent to {{purpose}}{{by}} withdrawn{{cause}}',
    emitted: 'Event {{event}} of our own',
    merged: '{{loser}} merged into {{profile}}: the same {{identifier_kind}}',
    unmerged: '{{restored}} came back out of {{profile}}',
    left_out: '{{identifier_kind}} not joined: {{reason}}',
    moved: 'Moved from step “{{from}}” to “{{to}}”',
    rejected: 'Refused: {{detail}}',
    cause_event: ', because of {{event}}',
    cause_broadcast: ', because of the business event {{event}}',
    cause_audience_entered: ', on entering the audience “{{audience}}”',
    cause_audience_left: ', on leaving the audience “{{audience}}”',
    cause_time: ', as time passed',
    cause_journey: ', by another journey',
    cause_schedule: ', by its schedule',
    cause_operator: ', by a merge or an operator',
    completed: 'completed',
    exit: 'an exit was met',
    goal_outcome: 'goal reached',
    merged_outcome: 'merged into another passage',
    went_sent: 'sent',
    went_suppressed: 'not allowed',
    went_failed: 'failed',
    went_matched: 'it came',
    went_timeout: 'time ran out',
    went_holdout: 'held out',
    went_otherwise: 'otherwise',
    went_exceeded: 'often enough',
    went_joined: 'joined',
  },
  de: {
    enrolled: '„{{journey}}“ begonnen{{key}}{{cause}}',
    key: ' für {{key}}',
    step: 'Schritt „{{step}}“: {{went}}, weiter zu „{{to}}“',
    step_end: 'Schritt „{{step}}“: {{went}}, zum Ende',
    message_sent: '{{template}} gesendet{{by}}{{address}}',
    message_suppressed: '{{template}} nicht gesendet{{by}}: {{rule}}',
    message_held: '{{template}} zurückgehalten{{by}} bis {{until}}: {{rule}}',
    message_failed: '{{template}} fehlgeschlagen{{by}}: {{reason}}',
    by: ' per {{channel}}',
    address: ' an {{address}}',
    exposure: 'Experiment {{experiment}}: Arm {{arm}}',
    goal: 'Ziel von „{{journey}}“ erreicht{{cause}}',
    ended: '„{{journey}}“ verlassen: {{outcome}}{{cause}}',
    audience_entered: 'In die Zielgruppe „{{audience}}“ gekommen{{cause}}',
    audience_left: 'Die Zielgruppe „{{audience}}“ verlassen{{cause}}',
    trait: 'Merkmal {{trait}} auf {{value}} gesetzt',
    consent_granted: 'Einwilligung in {{purpose}}{{by}} erteilt{{cause}}',
    consent_withdrawn: 'Einwilligung in {{purpose}}{{by}} widerrufen{{cause}}',
    emitted: 'Eigenes Ereignis {{event}}',
    merged: '{{loser}} mit {{profile}} zusammengeführt: gleiche {{identifier_kind}}',
    unmerged: '{{restored}} aus {{profile}} wieder herausgelöst',
    left_out: '{{identifier_kind}} nicht verbunden: {{reason}}',
    moved: 'Von Schritt „{{from}}“ zu „{{to}}“ umgezogen',
    rejected: 'Abgelehnt: {{detail}}',
    cause_event: ', wegen {{event}}',
    cause_broadcast: ', wegen des Geschäftsereignisses {{event}}',
    cause_audience_entered: ', beim Eintritt in die Zielgruppe „{{audience}}“',
    cause_audience_left: ', beim Verlassen der Zielgruppe „{{audience}}“',
    cause_time: ', weil Zeit verging',
    cause_journey: ', durch eine andere Journey',
    cause_schedule: ', nach Zeitplan',
    cause_operator: ', durch Zusammenführung oder Eingriff',
    completed: 'durchlaufen',
    exit: 'ein Ausstieg traf zu',
    goal_outcome: 'Ziel erreicht',
    merged_outcome: 'in einem anderen Durchlauf aufgegangen',
    went_sent: 'gesendet',
    went_suppressed: 'nicht erlaubt',
    went_failed: 'fehlgeschlagen',
    went_matched: 'es kam',
    went_timeout: 'Zeit lief ab',
    went_holdout: 'zurückgestellt',
    went_otherwise: 'sonst',
    went_exceeded: 'oft genug',
    went_joined: 'vereint',
  },
} as const
const useTexts = defineTexts('tell', texts)
type T = Translate<typeof texts.en>
type Told = Record<string, unknown>

/** How a passage ends. */
export const ENDINGS = { completed: 'completed', exit: 'exit', goal: 'goal_outcome', merged: 'merged_outcome' } as const
const CAUSES = {
  event: 'cause_event',
  broadcast: 'cause_broadcast',
  audience_entered: 'cause_audience_entered',
  audience_left: 'cause_audience_left',
  time: 'cause_time',
  journey: 'cause_journey',
  schedule: 'cause_schedule',
  operator: 'cause_operator',
} as const
const WENT = {
  sent: 'went_sent',
  suppressed: 'went_suppressed',
  failed: 'went_failed',
  matched: 'went_matched',
  timeout: 'went_timeout',
  holdout: 'went_holdout',
  otherwise: 'went_otherwise',
  exceeded: 'went_exceeded',
  joined: 'went_joined',
} as const
const PLAIN = ['exposure', 'trait', 'emitted', 'merged', 'unmerged', 'left_out', 'moved', 'rejected'] as const

const has = <K extends string>(names: Record<K, unknown>, name: string): name is K => name in names

/** How instants, rules and names are written. */
export interface Spelling {
  time: (at: string) => string
  rule: (code: string) => string
  journey: (name: string) => string
  audience: (name: string) => string
  channel: (kind: string) => string
  address: (address: string) => string
}

/** One decision as a sentence; null when its kind is not known. */
export function tell(data: Told, t: T, spell: Spelling): string | null {
  const field = (name: string): string => {
    const value = data[name]
    return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
  }
  const values = Object.fromEntries(Object.keys(data).map((name) => [name, field(name)]))
  values.journey = spell.journey(field('journey'))
  values.audience = spell.audience(field('audience'))
  if (data.rule) values.rule = spell.rule(field('rule'))
  if (data.reason) values.reason = spell.rule(field('reason'))
  for (const name of ['step', 'from', 'to'] as const) {
    if (values[name]) values[name] = worded(values[name])
  }
  const cause = field('cause')
  values.cause = has(CAUSES, cause) && (cause !== 'event' || field('event')) ? t(CAUSES[cause], values) : ''
  values.by = field('channel') && t('by', { channel: spell.channel(field('channel')) })
  const kind = field('kind')
  switch (kind) {
    case 'enrolled':
      return t('enrolled', { ...values, key: field('key') && t('key', { key: field('key') }) })
    case 'step':
      if (has(WENT, field('went'))) values.went = t(WENT[field('went') as keyof typeof WENT])
      return t(field('to') === 'end' ? 'step_end' : 'step', values)
    case 'goal':
      return t('goal', values)
    case 'ended': {
      const outcome = field('outcome')
      return t('ended', { ...values, outcome: has(ENDINGS, outcome) ? t(ENDINGS[outcome]) : outcome })
    }
    case 'audience':
      return t(field('change') === 'left' ? 'audience_left' : 'audience_entered', values)
    case 'consent':
      return t(data.granted === true ? 'consent_granted' : 'consent_withdrawn', values)
    case 'message':
      return tellMessage(field, values, t, spell)
  }
  const plain = PLAIN.find((each) => each === kind)
  return plain ? t(plain, values) : null
}

function tellMessage(field: (name: string) => string, values: Record<string, string>, t: T, spell: Spelling) {
  const address = field('email') || field('address')
  switch (field('outcome')) {
    case 'sent':
      return t('message_sent', { ...values, address: address && t('address', { address: spell.address(address) }) })
    case 'suppressed':
      return t('message_suppressed', values)
    case 'held':
      return t('message_held', { ...values, until: spell.time(field('until')) })
    case 'failed':
      return t('message_failed', values)
    default:
      return null
  }
}

export function useTell(): (item: { sentence: string; data: Told }) => string {
  const t = useTexts()
  const rules = useRules()
  const titles = useTitles()
  const names = useNames()
  const [language] = useLanguage()
  return useMemo(() => {
    const spell: Spelling = {
      time: (at) => absolute(Date.parse(at), language),
      rule: rules.reason,
      channel: names.spoken,
      address: names.address,
      ...titles,
    }
    return (item) => tell(item.data, t, spell) ?? item.sentence
  }, [t, language, rules, titles, names])
}

/** How a passage ended, in the reader's language. */
export function useOutcome(): (outcome: string) => string {
  const t = useTexts()
  return (outcome) => (has(ENDINGS, outcome) ? t(ENDINGS[outcome]) : outcome)
}
