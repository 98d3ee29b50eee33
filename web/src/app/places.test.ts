import { expect, test } from 'vitest'
import { firstLanguage } from '../i18n.ts'
import { hrefOfId, isId, placeAt } from './places.ts'
import { parseSearch, stringifySearch } from './url.ts'

test.each([
  ['/', 'today'],
  ['/people', 'people'],
  ['/people/prf_1', 'people'],
  ['/peoples', undefined],
  ['/nowhere', undefined],
])('%s belongs to %s', (path, key) => {
  expect(placeAt(path)?.key).toBe(key)
})

test.each([
  ['prf_7b', '/people/prf_7b'],
  ['msg_7b_4', '/explain/msg_7b_4'],
  ['enr_7b_3', '/explain/enr_7b_3'],
])('%s is shown at %s', (id, href) => {
  expect(hrefOfId(id)).toBe(href)
})

test.each([
  ['msg_7b_4', true],
  [' dec_1_2 ', true],
  ['ada@example.com', false],
  ['prf_', false],
  ['message_1', false],
])('%s looks like an id: %s', (text, expected) => {
  expect(isId(text)).toBe(expected)
})

test.each([
  ['', {}],
  ['?q=ada+l&state=held', { q: 'ada l', state: 'held' }],
  ['?q=%2B49170', { q: '+49170' }],
])('the query %s is read and written as people write it', (text, search) => {
  expect(parseSearch(text)).toEqual(search)
  expect(stringifySearch(search)).toBe(text)
})

test.each([
  ['de', ['en-US'], 'de'],
  [null, ['fr-FR', 'de-AT', 'en'], 'de'],
  [null, ['fr'], 'en'],
  ['xx', [], 'en'],
])('stored %s and wanted %j gives %s', (stored, wanted, expected) => {
  expect(firstLanguage(stored, wanted)).toBe(expected)
})
