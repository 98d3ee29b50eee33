// What the API says, in words. The pages import these names and no others. They are the server's own: `npm run api`
// turns its OpenAPI document into openapi.ts. What stands here beside them says more than the document can.

import type { components } from './openapi.ts'

type Schemas = components['schemas']

/** RFC 9457. What answers instead of the server may know less than the server. */
export type ProblemBody = Pick<Schemas['Problem'], 'title' | 'status'> & Partial<Schemas['Problem']>

export interface Page<T> {
  items: T[]
  next_page_token?: string | null
}

export type Me = Schemas['Me']
export type Role = Schemas['Role']
export type Scope = Schemas['Scope']
export type Key = Schemas['Key']
export type MadeKey = Schemas['MadeKey']
export type AuditEntry = Schemas['Entry']
export type AuditPage = Schemas['AuditPage']

export type Wording = Schemas['Wording']
export type Attention = Schemas['Attention']
export type Overview = Schemas['Overview']

export type ProfileSummary = Schemas['ProfileSummary']
export type Consent = Schemas['Consent']
export type Merge = Schemas['Merge']
export type Enrollment = Schemas['Passage']
/** A value of any shape, as a source told it. */
type Traits = Record<string, unknown>
type Telling = Omit<Schemas['TraitDetail'], 'value'> & { value: unknown }
export type Profile = Omit<Schemas['ProfileDetail'], 'traits' | 'computed_traits' | 'trait_details'> & {
  traits: Traits
  computed_traits: Traits
  trait_details: Telling[]
}

/** JSON as the engine or a source wrote it. */
type Written = { data: Record<string, unknown> }
export type TimelineKind = Schemas['TimelineKind']
export type TimelineItem = Omit<Schemas['TimelineItem'], 'data'> & Written
export type Fact = Omit<Schemas['Fact'], 'value'> & { value: unknown }
export type Check = Schemas['Check']
export type ChainItem = Omit<Schemas['ChainItem'], 'data' | 'facts'> & Written & { facts: Fact[] }
export type Explanation = Omit<Schemas['Explanation'], 'chain'> & { chain: ChainItem[] }

export type MessageState = 'queued' | 'sent' | 'delivered' | 'read' | 'failed' | 'suppressed' | 'held'
export type MessageCounts = Record<MessageState, number>
type InState = { state: MessageState }
export type Message = Omit<Schemas['Message'], 'state'> & InState
export type MessageDetail = Message & { history: (Omit<Schemas['Moment'], 'state'> & InState)[] }
