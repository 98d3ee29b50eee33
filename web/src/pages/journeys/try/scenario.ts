// A person, what happens, and when: as the scenario that the server plays through.
import { Document, isMap, isSeq, parse } from 'yaml'
import { type Definition, mapOf } from '../model/document.ts'
import { entryOf } from '../model/graph.ts'

export interface Happening {
  /** A duration since the one before, as `20m`; of the first one empty. */
  after: string
  event: string
  /** `{value: 50.0}`, as YAML or JSON. */
  properties: string
}

export interface Play {
  journey: string
  /** RFC 3339. */
  at: string
  email: string
  phone: string
  country: string
  language: string
  time_zone: string
  /** `{tier: gold}` */
  traits: string
  /** Purposes consented to, with commas. */
  consent: string
  happenings: Happening[]
}

/** A play that begins as the journey wants it: its entering event and its purpose. */
export function firstPlay(journey: string, definition: Definition | null, at: string): Play {
  const facts = definition ? entryOf(definition) : null
  const entry = facts?.entries[0] ?? {}
  const broadcast = mapOf(entry.broadcast)
  const event = String(entry.event ?? broadcast.event ?? 'Order Completed')
  return {
    journey,
    at,
    email: 'ada@example.com',
    phone: '',
    country: '',
    language: '',
    time_zone: 'Europe/Berlin',
    traits: '',
    consent: facts?.purpose ?? 'marketing',
    happenings: [{ after: '', event, properties: guessed(entry.where) }],
  }
}

/** What a simple condition on the event asks for, so that the first try gets in. */
function guessed(where: unknown): string {
  if (typeof where !== 'string') return ''
  const found = [...where.matchAll(/event\.properties\.(\w+)\s*(>=|>|==)\s*("[^"]*"|[\d.]+)/g)]
  const pairs = found.map(([, name, operator, value]) => {
    const number = Number(value)
    const enough = operator === '>' && !Number.isNaN(number) ? String(number + 1) : value
    return `${name}: ${enough}`
  })
  return pairs.length > 0 ? `{${pairs.join(', ')}}` : ''
}

/** Typed values; what is no map is taken as none. */
export function readMap(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {}
  try {
    const value: unknown = parse(text.trim().startsWith('{') ? text : `{${text}}`)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

/** The scenario's text. What came out is what it expects, when it is known already. */
export function scenarioOf(play: Play, then: unknown[] = [{ sent: 'none' }], name = 'try it'): string {
  const consents = play.consent.split(/[\s,]+/).filter(Boolean)
  const profile = {
    user_id: 'try_it',
    ...(play.email && { email: play.email }),
    ...(play.phone && { phone: play.phone }),
    ...(consents.length > 0 && { consent: Object.fromEntries(consents.map((purpose) => [purpose, true])) }),
    ...(play.country && { country: play.country }),
    ...(play.language && { language: play.language }),
    ...(play.time_zone && { time_zone: play.time_zone }),
    ...(play.traits && { traits: readMap(play.traits) ?? {} }),
  }
  const when = play.happenings.map((happening, index) => {
    const properties = readMap(happening.properties) ?? {}
    return {
      ...(index === 0 ? { at: play.at } : { after: happening.after || '0s' }),
      track: { event: happening.event, ...(Object.keys(properties).length > 0 && { properties }) },
    }
  })
  const doc = new Document({ scenario: name, journey: play.journey, given: { profile }, when, then })
  // Lines as people write them: one for each event and each expectation.
  const given = doc.getIn(['given', 'profile'], true)
  if (isMap(given)) given.flow = true
  for (const [key, inner] of [
    ['when', 'track'],
    ['then', ''],
  ] as const) {
    const list = doc.get(key, true)
    if (!isSeq(list)) continue
    for (const item of list.items) {
      if (!isMap(item)) continue
      const value = inner ? item.get(inner, true) : item
      if (isMap(value)) value.flow = true
    }
  }
  return doc.toString({ flowCollectionPadding: false, lineWidth: 0 })
}

/** What to expect of a run that was right: a line for each message. */
export function expectations(messages: readonly { template?: string; channel?: string; at?: string }[]): unknown[] {
  if (messages.length === 0) return [{ sent: 'none' }]
  return messages.map(({ template, channel, at }) => ({
    sent: { ...(template && { template }), ...(channel && { channel }), ...(at && { at }) },
  }))
}

/** Tomorrow at ten, a time at which no quiet hours surprise. */
export function firstInstant(now: number): string {
  const day = new Date(now + 86_400_000).toISOString().slice(0, 10)
  return `${day}T10:00:00Z`
}
