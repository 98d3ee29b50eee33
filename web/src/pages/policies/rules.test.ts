import { expect, test } from 'vitest'
import { ruleLines, scopeParts } from './rules.ts'

const row = (rule: string, value: string, from = 'global', tightened = false) => ({ rule, value, from, tightened })

test('rules of several scopes stand in one table, each in its column', () => {
  const lines = ruleLines([
    { scope: 'global', rows: [row('quiet_hours', '21-8'), row('cap', '3 in 7d')] },
    { scope: 'region:AT', rows: [row('cap', '1 in 7d', 'austria', true), row('cap', '3 in 7d')] },
  ])
  expect(lines.map((line) => line.rule)).toEqual(['cap', 'quiet_hours'])
  expect(lines[0]?.cells.get('region:AT')?.map((cell) => cell.value)).toEqual(['1 in 7d', '3 in 7d'])
  expect(lines[1]?.cells.has('region:AT')).toBe(false)
})

test.each([
  ['global', 'global', ''],
  ['region:AT', 'region', 'AT'],
  ['brand:a:b', 'brand', 'a:b'],
])('the scope %s is %s %s', (scope, kind, name) => {
  expect(scopeParts(scope)).toEqual({ kind, name })
})
