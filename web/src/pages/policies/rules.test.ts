import i18next from 'i18next'
import { expect, test } from 'vitest'
import { ruleLines, scopeParts, valueOfRule } from './rules.ts'
import './texts.ts'

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

test.each([
  ['cap', 'marketing by whatsapp: 1 in 1d', 'marketing per WHATSAPP: 1 in 1 Tag'],
  ['cap', 'survey: 2 in 30d', 'survey: 2 in 30 Tagen'],
  ['consent.marketing', 'double_opt_in', 'Double-Opt-in'],
  ['consent.marketing', 'by_letter', 'by_letter'],
  ['channels', 'email, sms', 'EMAIL, SMS'],
  ['quiet_hours', '22:00-07:00: service, survey by sms, email', '22:00 bis 07:00: service, survey per SMS, EMAIL'],
  ['retention.messages', '1d', '1 Tag'],
  ['tone', 'calm, exact', 'calm, exact'],
])('of the rule %s, %s is said in German', async (rule, value, said) => {
  await i18next.changeLanguage('de')
  const german = (key: string, values?: Record<string, unknown>) => i18next.t(key, { ns: 'policies', ...values })
  expect(valueOfRule({ rule, value }, german, (kind) => kind.toUpperCase())).toBe(said)
})
