import { expect, test } from 'vitest'
import { deliveryRate } from './numbers.ts'

test.each([
  [{ key: 'sms', delivered: 90, read: 0, failed: 10 }, 0.9],
  [{ key: 'mail', delivered: 50, read: 40, failed: 10, sent: 900, suppressed: 70 }, 0.9],
  [{ key: 'push', sent: 10 }, null],
  [{ key: 'voice', failed: 3 }, 0],
])('of %j %d arrived', (stats, expected) => {
  expect(deliveryRate(stats)).toBe(expected)
})
