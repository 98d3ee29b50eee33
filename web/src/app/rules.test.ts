import i18next from 'i18next'
import { expect, test } from 'vitest'
import { nameOfRule, reasonOfRule, whatItSaw } from './rules.ts'

const say = (language: string) => (key: string, values?: Record<string, unknown>) =>
  i18next.t(key, { ns: 'rules', lng: language, ...values })
const time = (at: string) => at.slice(0, 10)

test.each([
  ['consent.marketing.withdrawn', 'Consent to marketing was withdrawn', 'Consent to marketing was withdrawn'],
  ['consent.marketing.double_opt_in', 'Confirmed consent to marketing', 'Not confirmed: consent to marketing'],
  ['consent.stock_alerts.opt_in', 'Consent to stock_alerts', 'No consent to stock_alerts'],
  ['address.missing', 'An address for this channel', 'No address for this channel'],
  ['channel.whatsapp.allowed', 'whatsapp is allowed here', 'whatsapp is not allowed here'],
  ['quiet_hours.22:00-08:00', 'Quiet hours, 22:00 to 08:00', 'Quiet hours, 22:00 to 08:00'],
  ['cap.marketing.3_in_7d', 'At most 3 × marketing in 7 days', 'At most 3 × marketing in 7 days'],
  ['cap.all.1_in_1d', 'At most 1 × messages in a day', 'At most 1 × messages in a day'],
  [
    'cap.survey.sms.2_in_30d.per_journey',
    'At most 2 × survey by sms in 30 days',
    'At most 2 × survey by sms in 30 days',
  ],
  ['suppressed.hard_bounce', 'Address blocked: hard_bounce', 'Address blocked: hard_bounce'],
  ['suppression_list', 'Suppression list', 'Suppression list'],
  [
    'the profile would grow beyond the guard size',
    'the profile would grow beyond the guard',
    'the profile would grow beyond the guard',
  ],
  ['550 5.1.1', '550 5.1.1', '550 5.1.1'],
])('the rule %s is said in words', (code, name, reason) => {
  expect(nameOfRule(code, say('en'))).toBe(name)
  expect(reasonOfRule(code, say('en'))).toBe(reason)
})

test.each([
  ['no confirmed consent', 'keine bestätigte Einwilligung'],
  ['2 of 3 used since 2026-11-18T09:00:00Z', '2 von 3 verbraucht seit 2026-11-18'],
  ['2 of 3 (1 kept for priority 5 and up) used since 2026-11-18T09:00:00Z', '2 von 3 verbraucht seit 2026-11-18'],
  ['it is 22:14 in Europe/Berlin', 'es ist 22:14 in Europe/Berlin'],
  ['withdrawn at 2026-10-01T11:57:54Z by message c1-7', 'widerrufen am 2026-10-01 durch c1-7'],
  ['something that is said tomorrow', 'something that is said tomorrow'],
])('what a rule saw is said in German too: %s', (facts, german) => {
  expect(whatItSaw(facts, say('de'), time)).toBe(german)
})
