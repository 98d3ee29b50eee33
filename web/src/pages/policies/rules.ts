// The rules of all scopes as one table: a row for each rule, a column for each scope.
import type { Policies, PolicyRow } from '../../api/definitions.ts'
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
