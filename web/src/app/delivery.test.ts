import { expect, test } from 'vitest'
import { arrivedShare } from './delivery.ts'

const none = { queued: 0, sent: 0, delivered: 0, read: 0, failed: 0, suppressed: 0, held: 0 }

test.each([
  ['nothing yet', [], null],
  ['only held and suppressed', [{ ...none, held: 5, suppressed: 9, queued: 1 }], null],
  ['read counts as arrived', [{ ...none, delivered: 1, read: 1, failed: 2 }], 0.5],
  ['sent without a receipt is not known', [{ ...none, sent: 900, delivered: 9, failed: 1 }], 0.9],
  ['none arrived', [{ failed: 3 }], 0],
  [
    'over all channels',
    [
      { ...none, delivered: 3 },
      { ...none, failed: 1 },
    ],
    0.75,
  ],
])('the share that arrived: %s', (_, counts, share) => {
  expect(arrivedShare(counts).share).toBe(share)
})
