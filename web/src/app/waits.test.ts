import i18next from 'i18next'
import { expect, test } from 'vitest'
import { waitsFor } from './waits.ts'

const german = (key: string, values?: Record<string, unknown>) => i18next.t(key, { ns: 'waits', lng: 'de', ...values })

test.each([
  ['the event Order Shipped', 'wartet auf das Ereignis Order Shipped'],
  ['the end of quiet hours', 'wartet auf das Ende der Ruhezeit'],
  ['the end of enr_1_2', 'wartet auf das Ende einer anderen Journey'],
  ['leaving the audience gold', 'wartet auf das Verlassen der Zielgruppe gold'],
  ['a new moon', 'wartet auf: a new moon'],
])('what a passage waits for is said in German: %s', (what, expected) => {
  expect(waitsFor(what, german)).toBe(expected)
})
