import { expect, test } from 'vitest'
import { frame, isSeen } from './frame.ts'
import type { Rect } from './layout.ts'

/** A column of boxes of 200 × 80, 120 apart, and one far to the right. */
const drawing = (rows: number, right: number) =>
  new Map<string, Rect>([
    ...Array.from({ length: rows }, (_, at): [string, Rect] => [
      `s${at}`,
      { x: 0, y: at * 120, width: 200, height: 80 },
    ]),
    ['far', { x: right - 200, y: 0, width: 200, height: 80 }],
  ])

test.each([
  ['a small drawing is shown whole, as it is', drawing(2, 300), { width: 800, height: 600 }, null, 1],
  ['a little too wide: smaller, whole', drawing(2, 900), { width: 850, height: 600 }, null, 0.9],
  ['too tall to be read whole: its whole width', drawing(20, 1000), { width: 755, height: 585 }, null, 0.73],
  ['far too wide: as it can be read', drawing(20, 1000), { width: 350, height: 480 }, null, 0.78],
])('%s', (_, boxes, room, step, zoom) => {
  expect(frame(boxes, room, 's0', step).zoom).toBeCloseTo(zoom, 1)
})

test.each([
  ['wide', { width: 755, height: 585 }],
  ['narrow', { width: 350, height: 240 }],
])('a chosen step is seen, and nothing empty beside it: %s', (_, room) => {
  const boxes = drawing(20, 1000)
  for (const [step, box] of boxes) {
    const viewport = frame(boxes, room, 's0', step)
    expect(isSeen(box, room, viewport), step).toBe(true)
    expect(viewport.y, step).toBeLessThanOrEqual(24)
  }
  const top = frame(boxes, room, 's0', null)
  expect(isSeen({ x: 0, y: 0, width: 200, height: 80 }, room, top)).toBe(true)
  expect(isSeen({ x: 0, y: 19 * 120, width: 200, height: 80 }, room, top)).toBe(false)
})
