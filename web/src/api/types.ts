// What the API says, in words. The pages import these names and no others.
// Names that the server's OpenAPI document has are its own: `npm run api` turns it into openapi.ts.

import type { components } from './openapi.ts'

type Schemas = components['schemas']

export type Me = Schemas['Me']
export type Role = Schemas['Role']
export type Scope = Schemas['Scope']
export type Key = Schemas['Key']
export type MadeKey = Schemas['MadeKey']
export type AuditEntry = Schemas['Entry']
export type AuditPage = Schemas['AuditPage']
export type Attention = Schemas['Attention']
export type Overview = Schemas['Overview']
/** RFC 9457. What answers instead of the server may know less than the server. */
export type ProblemBody = Pick<Schemas['Problem'], 'title' | 'status'> & Partial<Schemas['Problem']>

export interface Page<T> {
  items: T[]
  next_page_token: string | null
}

export type MessageState = 'queued' | 'sent' | 'delivered' | 'read' | 'failed' | 'suppressed' | 'held'
export type MessageCounts = Record<MessageState, number>

export interface IdentifierValue {
  kind: string
  value: string
}

export interface ProfileSummary {
  id: string
  name: string | null
  identifiers: IdentifierValue[]
  country: string | null
  language: string | null
  last_seen_at: string | null
  created_at: string
  matched?: string
}

export type TraitValue = string | number | boolean | null | TraitValue[] | { [key: string]: TraitValue }

export interface Consent {
  purpose: string
  channel: string | null
  address: string | null
  state: 'granted' | 'pending' | 'withdrawn'
  at: string
  proof: string | Record<string, unknown> | null
}

export interface Merge {
  merge: string | number
  winner: string
  loser: string
  at: string
  identifier_kind: string
  undone: boolean
}

export interface Enrollment {
  id: string
  profile: string
  user_id: string
  journey: string
  title: string
  version: number | string
  step: string | null
  state: 'waiting' | 'held' | 'parked' | 'ended'
  waiting_for: string | null
  until: string | null
  entered_at: string
  key: string | null
  outcome: string | null
}

export interface Profile extends Omit<ProfileSummary, 'identifiers' | 'matched'> {
  time_zone: string | null
  preferred_channel: string | null
  identifiers: (IdentifierValue & { first_seen_at: string; strand: string })[]
  traits: Record<string, TraitValue>
  trait_details: { name: string; value: TraitValue; at: string; strand: string }[]
  computed_traits: Record<string, TraitValue>
  consents: Consent[]
  audiences: { audience: string; title: string; since: string }[]
  enrollments: Enrollment[]
  merges: Merge[]
  preferences_url: string | null
}

export type TimelineKind = 'event' | 'message' | 'journey' | 'audience' | 'consent' | 'identity'

export interface TimelineItem {
  id: string
  at: string
  kind: TimelineKind
  title: string
  detail: string
  ref: string | null
  data: Record<string, unknown>
}

export interface Message {
  id: string
  at: string
  profile: string
  user_id: string
  journey: string
  step: string
  enrollment: string
  template: string
  purpose: string
  channel: string
  address: string
  state: MessageState
  state_at: string
  code: string | null
  rule: string | null
  until: string | null
  provider_id: string | null
}

export interface MessageDetail extends Message {
  history: { state: MessageState; at: string; code: string | null }[]
}

export interface Fact {
  name: string
  value: TraitValue
}

export interface Check {
  rule: string
  policy: string
  channel: string | null
  outcome: 'passed' | 'held' | 'stopped'
  facts: Fact[] | string
}

export interface ChainItem {
  id: string
  at: string
  kind: string
  sentence: string
  cause: string | null
  facts: Fact[]
  checks: Check[]
  /** The decision as the engine wrote it. */
  data: Record<string, unknown>
}

export interface Explanation {
  id: string
  subject: string
  person: string | null
  chain: ChainItem[]
}
