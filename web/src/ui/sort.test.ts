import { expect, test } from 'vitest'
import { comparer, readSort, writeSort } from './sort.ts'

test.each([
  ['', []],
  ['entered', [{ id: 'entered', desc: false }]],
  ['-entered', [{ id: 'entered', desc: true }]],
])('an address with the order "%s" is read, and written the same', (text, sorting) => {
  expect(readSort(text)).toEqual(sorting)
  expect(writeSort(sorting)).toBe(text)
})

test.each([
  ['de', ['Zahlung', 'Änderung', 'abo'], ['abo', 'Änderung', 'Zahlung']],
  ['en', ['version 10', 'Version 9'], ['Version 9', 'version 10']],
  ['en', [10, 9, -1], [-1, 9, 10]],
])('in %s, %j is ordered as %j', (language, values, expected) => {
  expect((values as (string | number)[]).toSorted(comparer(language))).toEqual(expected)
})
