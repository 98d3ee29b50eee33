import { expect, test } from 'vitest'
import { span, spanAfter } from './names.ts'

test.each([
  ['7d', '7 days', '7 Tage', '7 Tagen'],
  ['1d', '1 day', '1 Tag', '1 Tag'],
  ['1h30m', '1 hour 30 minutes', '1 Stunde 30 Minuten', '1 Stunde 30 Minuten'],
  ['14 days', '14 days', '14 days', '14 days'],
  ['soon', 'soon', 'soon', 'soon'],
])('the span %s is said in words', (written, english, german, after) => {
  expect(span(written, 'en')).toBe(english)
  expect(span(written, 'de')).toBe(german)
  expect(spanAfter(written, 'de')).toBe(after)
})
