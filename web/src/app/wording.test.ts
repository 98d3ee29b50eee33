// The server's own lists of codes, each of which must have words in both languages: a code that is new in the server
// fails here until it has them.
import { readdirSync, readFileSync } from 'node:fs'
import i18next from 'i18next'
import { expect, test } from 'vitest'
import type { Wording } from '../api/types.ts'
import { LANGUAGES } from '../i18n.ts'
import { GERMAN } from '../ui/problems.ts'
import { ENDINGS, tell } from './tell.ts'
import { STATES } from './texts.ts'
import { inWords } from './wording.ts'

interface Listed {
  enum?: string[]
  properties?: Record<string, Listed>
}
interface Parameter {
  name: string
  schema: Listed
}
interface OpenApi {
  components: { schemas: Record<string, Listed> }
  paths: Record<string, Record<string, { parameters?: Parameter[] }>>
}
const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const document: OpenApi = JSON.parse(read('crates/server/openapi.json'))

function listed(schema: string, property?: string): string[] {
  const found = document.components.schemas[schema]
  const values = (property ? found?.properties?.[property] : found)?.enum
  if (!values) throw new Error(`openapi.json lists no values of ${schema} ${property ?? ''}`)
  return values
}

/** A language's words; what is asked for and is not there is an error. */
const words = (namespace: string, lng: string) => (key: string, values?: Record<string, unknown>) => {
  const shown = { ns: namespace, lng, fallbackLng: [], number: Number(values?.count), ...values }
  if (!i18next.exists(key, shown)) throw new Error(`${namespace}.${key} has no words in ${lng}`)
  return i18next.t(key, shown)
}
const say = (wording: Wording, language: string) =>
  inWords(wording, {
    say: words('wording', language),
    fault: words('faults', language),
    problem: words('problems', language),
  })

/** What a sentence may be about, of every code. */
const VALUES = {
  names: 'N',
  key: 'k',
  reason: 'r',
  kind: 'email',
  code: 'c',
  minutes: 1,
  usual: 2,
  window: 3,
  events: 4,
  waiting: 5,
  dropped: 6,
  times: 2,
  seconds: 7,
  cause: 'x',
  fault: 'empty',
  problem: 'log-full',
}
const pages = readdirSync(new URL('../../../docs/errors', import.meta.url)).map((file) => file.replace('.md', ''))
/** The codes that a node stops with: each has a page. Snapshots are of a backup. */
const problems = pages.filter((code) => /^(log|store|node)-/.test(code) && !code.startsWith('store-snapshot'))

test.each(LANGUAGES)('every code of the server has words: %s', (language) => {
  const wordings: Wording[] = [
    ...listed('WordingCode').map((code) => ({ code, values: VALUES })),
    ...listed('SettingFault').map((fault) => ({ code: 'setting_wrong', values: { ...VALUES, fault } })),
    ...problems.map((problem) => ({ code: 'node_down', values: { ...VALUES, problem } })),
  ].map((wording) => wording as Wording)
  for (const wording of wordings) {
    const said = say(wording, language)
    expect(said, JSON.stringify(wording)).toBeTruthy()
    expect(said).not.toContain('{{')
  }
  expect(problems.length).toBeGreaterThan(10)
})

test('what a newer server says is left to it', () => {
  for (const wording of [
    { code: 'new_thing', values: {} },
    { code: 'setting_wrong', values: { key: 'k', fault: 'new_fault' } },
    { code: 'node_down', values: { problem: 'new-problem', cause: 'x' } },
  ]) {
    expect(say(wording as Wording, 'de')).toBeNull()
  }
})

test('every state of the server has a word and a tone', () => {
  const states = [
    ...listed('AccountState'),
    ...listed('Agreement'),
    ...listed('CheckOutcome'),
    ...listed('JourneyState'),
    ...listed('PassageState'),
    ...listed('Message', 'state'),
    ...listed('Moment', 'state'),
  ]
  expect(states.filter((state) => !(state in STATES))).toEqual([])
})

const outcomes =
  document.paths['/api/v1/decisions']?.get?.parameters?.find((each) => each.name === 'outcome')?.schema.enum ?? []
const MESSAGES = ['sent', 'suppressed', 'held', 'failed']

test.each(LANGUAGES)('every kind and outcome of a decision is told: %s', (language) => {
  const spell = { time: String, rule: String, journey: String, audience: String, channel: String, address: String }
  const told = (data: Record<string, unknown>) => tell(data, words('tell', language), spell)
  for (const kind of listed('ChainItem', 'kind')) {
    if (kind !== 'message') expect(told({ kind, cause: 'time' }), kind).toBeTruthy()
  }
  expect(outcomes.length).toBeGreaterThan(MESSAGES.length)
  for (const outcome of outcomes) {
    if (MESSAGES.includes(outcome)) expect(told({ kind: 'message', outcome, channel: 'sms' }), outcome).toBeTruthy()
    else expect(Object.keys(ENDINGS)).toContain(outcome)
  }
})

test('why an event was refused is said in German too', () => {
  expect(pages.filter((code) => code.startsWith('event-') && !(code in GERMAN))).toEqual([])
  expect(Object.keys(GERMAN).filter((code) => !pages.includes(code))).toEqual([])
})
