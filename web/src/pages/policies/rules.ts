// The rules of all scopes as one table: a row for each rule, a column for each scope, and what holds in words.
import type { Policies, PolicyRow } from '../../api/definitions.ts'
import { span, spanAfter } from '../../app/names.ts'
import type { usePolicyTexts } from './texts.ts'

export interface RuleLine {
  rule: string
  /** By scope; missing where the rule does not exist. */
  cells: Map<string, PolicyRow[]>
}

export function ruleLines(effective: Policies['effective']): RuleLine[] {
  const lines = new Map<string, RuleLine>()
  for (const { scope, rows } of effective) {
    for (const row of rows) {
      const line = lines.get(row.rule) ?? { rule: row.rule, cells: new Map() }
      line.cells.set(scope, [...(line.cells.get(scope) ?? []), row])
      lines.set(row.rule, line)
    }
  }
  return [...lines.values()].sort((one, other) => one.rule.localeCompare(other.rule))
}

/** `region:AT` is shown as its own words; the prefix is for machines. */
export function scopeParts(scope: string): { kind: 'global' | 'region' | 'brand'; name: string } {
  const [kind, name] = scope.split(/:(.*)/s)
  return { kind: kind === 'region' || kind === 'brand' ? kind : 'global', name: name ?? '' }
}

const NAMES = {
  cap: 'rule_cap',
  channels: 'rule_channels',
  quiet_hours: 'rule_quiet',
  suppression_list: 'rule_suppression',
  tone: 'rule_tone',
} as const

/** The name of a line; the line's own where it has none. */
export function nameOfRule(rule: string, t: ReturnType<typeof usePolicyTexts>): string {
  const purpose = /^consent\.(.+)$/.exec(rule)?.[1]
  if (purpose) return t('rule_consent', { purpose })
  const kept = /^retention\.(.+)$/.exec(rule)?.[1]
  if (kept) return t('rule_retention', { what: kept })
  return rule in NAMES ? t(NAMES[rule as keyof typeof NAMES]) : rule
}

const CONSENT = { none: 'consent_none', opt_in: 'opt_in', double_opt_in: 'double_opt_in', opt_out: 'opt_out' } as const
const CAP = /^(?<purpose>.+?)(?: by (?<channels>.+))?: (?<max>\d+) in (?<within>\w+)$/
const QUIET = /^(?<from>[\d:]+)-(?<to>[\d:]+): (?<purposes>.+?)(?: by (?<channels>.+))?$/

/** What the server writes as `marketing by sms: 1 in 7d`, in the reader's language; as it is written when not known. */
export function valueOfRule(
  { rule, value }: Pick<PolicyRow, 'rule' | 'value'>,
  t: ReturnType<typeof usePolicyTexts>,
  channel: (kind: string) => string,
): string {
  const named = (list: string) => list.split(', ').map(channel).join(', ')
  if (rule.startsWith('consent.')) return value in CONSENT ? t(CONSENT[value as keyof typeof CONSENT]) : value
  if (rule.startsWith('retention.')) return span(value)
  if (rule === 'channels') return named(value)
  const found = (rule === 'cap' ? CAP : rule === 'quiet_hours' ? QUIET : null)?.exec(value)?.groups
  if (!found) return value
  const by = found.channels ? t('by_channels', { channels: named(found.channels) }) : ''
  return rule === 'cap'
    ? t('cap_value', { ...found, by, within: spanAfter(found.within ?? '') })
    : t('quiet_value', { ...found, by })
}
