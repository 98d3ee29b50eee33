import i18next from 'i18next'
import { expect, test } from 'vitest'
import { tell } from './tell.ts'

const say = (language: string) => (key: string, values?: Record<string, unknown>) =>
  i18next.t(key, { ns: 'tell', lng: language, ...values })
const spell = {
  time: (at: string) => at.slice(11, 16),
  rule: (code: string) => (code === 'consent' ? 'No consent' : code),
  journey: (name: string) => (name === 'cart' ? 'Cart recovery' : name),
  audience: (name: string) => name,
  channel: (kind: string) => (kind === 'email' ? 'e-mail' : kind),
  address: (address: string) => address,
}

test.each([
  [
    { kind: 'enrolled', journey: 'cart', cause: 'event', event: 'Cart Updated' },
    'Entered “Cart recovery”, because of Cart Updated',
    '„Cart recovery“ begonnen, wegen Cart Updated',
  ],
  [
    { kind: 'enrolled', journey: 'orders', key: '81', cause: 'event', event: '' },
    'Entered “orders” for 81',
    '„orders“ begonnen für 81',
  ],
  [
    { kind: 'step', step: 'on_hold', went: 'timeout', to: 'end' },
    'Step “on hold”: time ran out, to the end',
    'Schritt „on hold“: Zeit lief ab, zum Ende',
  ],
  [
    { kind: 'message', template: 'hi', outcome: 'sent', channel: 'email', email: 'a@b.c' },
    'hi sent by e-mail to a@b.c',
    'hi gesendet per e-mail an a@b.c',
  ],
  [
    { kind: 'message', template: 'hi', outcome: 'suppressed', rule: 'consent' },
    'hi not sent: No consent',
    'hi nicht gesendet: No consent',
  ],
  [
    {
      kind: 'message',
      template: 'hi',
      outcome: 'held',
      channel: 'sms',
      until: '2026-03-02T08:00:00Z',
      rule: 'quiet_hours',
    },
    'hi held by sms until 08:00: quiet_hours',
    'hi zurückgehalten per sms bis 08:00: quiet_hours',
  ],
  [
    { kind: 'ended', journey: 'cart', outcome: 'goal', cause: 'time' },
    'Left “Cart recovery”: goal reached, as time passed',
    '„Cart recovery“ verlassen: Ziel erreicht, weil Zeit verging',
  ],
  [
    { kind: 'audience', audience: 'gold', change: 'left', cause: 'time' },
    'Left the audience “gold”, as time passed',
    'Die Zielgruppe „gold“ verlassen, weil Zeit verging',
  ],
  [
    { kind: 'consent', purpose: 'marketing', granted: false },
    'Consent to marketing withdrawn',
    'Einwilligung in marketing widerrufen',
  ],
  [{ kind: 'trait', trait: 'tier', value: 3 }, 'Trait tier set to 3', 'Merkmal tier auf 3 gesetzt'],
])('%j is told in both languages', (data, english, german) => {
  expect(tell(data, say('en'), spell)).toBe(english)
  expect(tell(data, say('de'), spell)).toBe(german)
})

test('a kind that is not known here is left to the server', () => {
  expect(tell({ kind: 'teleported' }, say('en'), spell)).toBeNull()
  expect(tell({ type: 'track', event: 'Cart Updated' }, say('en'), spell)).toBeNull()
})
