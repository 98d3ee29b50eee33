import { expect, test } from 'vitest'
import type { TimelineItem } from '../../api/types.ts'
import { initials } from './Avatar.tsx'
import { rowsOf } from './rows.ts'

const item = (id: string, at: string): TimelineItem => ({
  id,
  at,
  kind: 'event',
  title: '',
  detail: '',
  ref: null,
  data: {},
})

test.each([
  [[], []],
  [
    [item('b', '2026-03-02T12:00:00'), item('a', '2026-03-02T09:00:00')],
    ['day', 'b', 'a'],
  ],
  [
    [item('b', '2026-03-02T12:00:00'), item('a', '2026-03-01T12:00:00')],
    ['day', 'b', 'day', 'a'],
  ],
])('each day of a timeline starts with a row of its own', (items, expected) => {
  expect(rowsOf(items).map((row) => ('day' in row ? 'day' : row.item.id))).toEqual(expected)
})

test('keys of a timeline are unique, also over days', () => {
  const rows = rowsOf([item('b', '2026-03-02T12:00:00'), item('a', '2026-03-01T12:00:00')])
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
})

test.each([
  ['Ada Lovelace', 'AL'],
  ['  élodie  ', 'É'],
  ['Anna Maria von Berg', 'AB'],
  ['', ''],
  [null, ''],
])('the initials of %s are %s', (name, expected) => {
  expect(initials(name)).toBe(expected)
})
