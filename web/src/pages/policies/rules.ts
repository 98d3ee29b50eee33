// The rules of all scopes as one table: a row for each rule, a column for each scope.
import type { Policies, PolicyRow } from '../../api/definitions.ts'

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
