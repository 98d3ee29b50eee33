import { expect, test } from 'vitest'
import { address, problemOf } from './client.ts'
import { pauseBefore } from './stream.ts'

test.each([
  [{}, '/x'],
  [{ q: '' }, '/x'],
  [{ q: 'ada lovelace', limit: 5 }, '/x?q=ada+lovelace&limit=5'],
  [{ page_token: null, state: undefined, done: false }, '/x?done=false'],
  [{ q: 'a&b=c' }, '/x?q=a%26b%3Dc'],
])('an address leaves out what is empty: %j', (query, expected) => {
  expect(address('/x', query)).toBe(expected)
})

test('a problem keeps what the server said', async () => {
  const body = {
    title: 'No such person',
    status: 404,
    code: 'profile_unknown',
    hint: 'search by e-mail',
    request_id: 'r1',
  }
  const response = new Response(JSON.stringify(body), {
    status: 404,
    headers: { 'content-type': 'application/problem+json' },
  })
  expect((await problemOf(response)).body).toEqual(body)
})

test.each([
  ['text/html', '<h1>Bad gateway</h1>'],
  ['application/json', 'not json'],
  ['application/json', 'null'],
])('an answer of something in between becomes a problem too: %s %s', async (type, body) => {
  const response = new Response(body, { status: 502, headers: { 'content-type': type } })
  expect((await problemOf(response)).body).toEqual({ title: 'HTTP 502', status: 502 })
})

test.each([
  [0, 0, 500],
  [0, 1, 1_000],
  [3, 1, 8_000],
  [5, 1, 30_000],
  [500, 1, 30_000],
])('the stream waits before try %i with chance %d: %i ms', (attempt, chance, expected) => {
  expect(pauseBefore(attempt, chance)).toBe(expected)
})
