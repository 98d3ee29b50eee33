import { Text } from '@codemirror/state'
import { expect, test } from 'vitest'
import { partThatDiffers, placeOf } from './CodeEditor.tsx'
import { diffLines } from './Diff.tsx'
import { withoutStyles } from './HtmlPreview.tsx'
import { sparkPath } from './Spark.tsx'
import { relative } from './time.ts'

const NOW = Date.parse('2026-03-02T10:00:00Z')

test.each([
  ['2026-03-02T09:59:31Z', 'en', 'now'],
  ['2026-03-02T09:57:00Z', 'en', '3 min. ago'],
  ['2026-03-02T12:00:00Z', 'en', 'in 2 hr.'],
  ['2026-03-01T10:00:00Z', 'de', 'gestern'],
  ['2025-09-02T10:00:00Z', 'de', 'vor 5 Monaten'],
])('%s is said in %s as: %s', (at, language, expected) => {
  expect(relative(Date.parse(at), NOW, language).replaceAll('\u00a0', ' ')).toBe(expected)
})

test('a diff keeps the lines that people read', () => {
  const unified = '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n'
  expect(diffLines(unified).map((line) => [line.kind, line.text])).toEqual([
    ['place', '@@ -1,2 +1,2 @@'],
    ['same', ' same'],
    ['removed', '-old'],
    ['added', '+new'],
  ])
})

test.each([
  [[], ''],
  [[0, 0], '0.0,27.0 100.0,27.0'],
  [[0, 10], '0.0,27.0 100.0,2.0'],
  [[5], '0.0,2.0'],
])('the line over %j is %s', (values, expected) => {
  expect(sparkPath(values)).toBe(expected)
})

const FILE = Text.of(['journey: a', 'steps:', '  - id: x'])
test.each([
  ['a column', { line: 2, column: 1, end_line: 2, end_column: 6 }, 'steps'],
  ['no end', { line: 3, column: 5 }, 'i'],
  ['a line that is gone', { line: 99, column: 1 }, ' '],
  ['a column beyond the line', { line: 1, column: 99 }, '\n'],
])('a finding with %s lies in the text', (_, place, expected) => {
  const at = placeOf({ severity: 'error', message: 'm', ...place }, FILE)
  expect(FILE.sliceString(at.from, at.to)).toBe(expected)
})

test.each([
  ['<p style="color:red">x</p>', '<p data-look="color:red">x</p>', []],
  ['<p\n STYLE = "a">style=1</p>', '<p\n data-look = "a">style=1</p>', []],
  ['<p data-style="a">x</p>', '<p data-style="a">x</p>', []],
  ['<style type="text/css">p > b {}</style><p>x</p>', '<p>x</p>', ['p > b {}']],
])('an e-mail is parsed without its styles: %s', (html, bare, sheets) => {
  expect(withoutStyles(html)).toEqual({ html: bare, sheets })
})

test.each([
  ['a b c', 'a x c', { from: 2, to: 3, insert: 'x' }],
  ['aa', 'aaa', { from: 2, to: 2, insert: 'a' }],
  ['aaa', 'aa', { from: 2, to: 3, insert: '' }],
  ['', 'x', { from: 0, to: 0, insert: 'x' }],
  ['same', 'same', { from: 4, to: 4, insert: '' }],
])('from %j to %j only what differs is exchanged', (before, after, part) => {
  expect(partThatDiffers(before, after)).toEqual(part)
})
