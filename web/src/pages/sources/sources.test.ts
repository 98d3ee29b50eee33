import { expect, test } from 'vitest'
import { readable } from './DeadLetters.tsx'

test.each([
  ['{"a":1}', '{\n  "a": 1\n}'],
  ['not json', 'not json'],
  ['', ''],
])('the body %j is shown as %j', (body, expected) => {
  expect(readable(body)).toBe(expected)
})
