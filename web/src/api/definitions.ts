// What the API says about definitions: journeys, audiences, templates, policies, and the workspace they stand in;
// and about what connects it: sources, channels, dead letters.

import type { Check, Enrollment, Message, MessageState, ProfileSummary } from './types'

/** A number that grows, or the text's hash; only ever compared and shown. */
export type Version = number | string

export interface JourneySummary {
  journey: string
  title: string
  purpose: string
  version: Version
  state: 'live' | 'draft'
  running: number
  entered: number
  converted: number
  completed: number
  exited: number
  /** Entries per hour, the last one is the running hour. */
  trend: number[]
}

export interface ServerNode {
  id: string
  kind: string
  title: string
  detail: string
  waiting: number
  passed: number
}

export interface ServerEdge {
  from: string
  to: string
  label: string
  count: number
}

export interface JourneyVersion {
  version: Version
  /** Null when that is too long ago. */
  published_at: string | null
  running: number
}

export interface Journey {
  journey: string
  title: string
  description: string | null
  purpose: string
  version: Version
  versions: JourneyVersion[]
  file: string
  /** The definition's text. */
  source: string
  entry: { kind: string; label: string }[]
  exits: string[]
  goal: string | null
  graph: { nodes: ServerNode[]; edges: ServerEdge[] }
  counts: { running: number; entered: number; converted: number; completed: number; exited: number; goal: number }
}

export type StepEnrollment = Enrollment

export interface MigrationPreview {
  moved: { step: string; to: string | null; count: number }[]
  parked: number
  number: number
}

export interface Workspace {
  files: Record<string, string>
  version: Version
  published_at: string
}

export interface Finding {
  file: string
  severity: 'error' | 'warning'
  code: string
  message: string
  help: string | null
  line: number
  column: number
  end_line: number | null
  end_column: number | null
}

export interface Checked {
  findings: Finding[]
  ok: boolean
}

export interface Plan extends Checked {
  changes: { file: string; change: 'added' | 'changed' | 'removed'; diff: string }[]
  /** What it means for people, a sentence each. */
  effects: string[]
}

export interface ScenarioResult {
  scenario: string
  file: string
  passed: boolean
  detail: string
  milliseconds: number
}

export interface TryResult {
  passed: boolean
  steps: { at: string; sentence: string }[]
  messages: Partial<Message>[]
  /** Steps that decided something, in their order; a wait for a time decides nothing. */
  path: string[]
  /** What is wrong with the scenario; then nothing was played. */
  findings?: Finding[]
}

export interface AudienceSummary {
  audience: string
  title: string
  condition: string
  size: number
  traits: unknown[]
}

export interface Audience {
  audience: string
  title: string
  condition: string
  traits: { name: string; definition: string }[]
  size: number
  history: { at: string; size: number }[]
  source: string
  file: string
}

export interface AudienceMember extends ProfileSummary {
  since: string | null
}

export interface AudienceChange {
  at: string
  profile: string
  user_id: string
  change: 'entered' | 'left'
  decision: string
}

export type StatsBy = 'channel' | 'provider' | 'country' | 'template'
export type MessageStats = { key: string } & Partial<Record<MessageState, number>>

export interface Template {
  template: string
  variants: { channel: string; language: string; file: string }[]
}

export interface TemplatePreview {
  subject: string | null
  text: string
  html: string | null
  title: string | null
  language: string
}

export interface PolicyRow {
  rule: string
  value: string
  /** The policy it comes from. */
  from: string
  tightened: boolean
}

export interface Policies {
  policies: { policy: string; scope: string; title: string | null; file: string; source: string }[]
  effective: { scope: string; rows: PolicyRow[] }[]
}

export interface Verdict {
  verdict: 'send' | 'hold' | 'suppress'
  channel: string | null
  until: string | null
  rule: string | null
  checks: Check[]
}

export interface ConsentEntry {
  at: string
  profile: string
  user_id: string
  purpose: string
  channel: string | null
  granted: boolean
  cause: string | null
  proof: string | Record<string, unknown> | null
  decision: string | null
}

export interface Source {
  source: string
  last_at: string | null
  events_total: number
  /** The last 60 minutes, newest last. */
  events_per_minute: number[]
  kinds: {
    name: string
    count: number
    last_at: string | null
    properties: { name: string; types: string[]; share: number }[]
  }[]
  refused: number
}

export interface DeadLetter {
  id: string | number
  at: string
  source: string
  code: string
  reason: string
  body: string
  retried: boolean
}

export interface Channel {
  name: string
  kind: string
  state: 'up' | 'down' | 'unconfigured'
  since: string | null
  last_error: string | null
  queued: number
  in_flight: number
  sent_total: number
  failed_total: number
  limit_per_second: number | null
}

/** Whether something was taken, and the reason when not. */
export interface Taken {
  accepted: boolean
  code: string | null
  reason?: string | null
}
