// What the API says about definitions: journeys, audiences, templates, policies, and the workspace they stand in;
// and about what connects it: sources, channels, dead letters.

import type { components } from './openapi.ts'
import type { Enrollment, MessageState, ProfileSummary } from './types'

type Schemas = components['schemas']

/** The text's hash; only ever compared and shown. */
export type Version = string

export type JourneySummary = Schemas['JourneySummary']

export type ServerNode = Schemas['Node']

export type ServerEdge = Schemas['Edge']

export type JourneyVersion = Schemas['Version']

export type Journey = Schemas['Journey']

export type StepEnrollment = Enrollment

export type Migration = Schemas['PastMigration']

export type MigrationPreview = Schemas['MigrationPlan']

export type Workspace = Schemas['Workspace']

// The document says `string` where the server has few words; here they are.
export type Finding = Schemas['Found'] & { severity: 'error' | 'warning' }

export type Checked = Omit<Schemas['Checked'], 'findings'> & { findings: Finding[] }

export type Plan = Omit<Schemas['Plan'], 'findings' | 'changes'> & {
  findings: Finding[]
  changes: (Schemas['FileChange'] & { change: 'added' | 'changed' | 'removed' })[]
}

export type ScenarioResult = Schemas['ScenarioResult']

export type TryResult = Schemas['Tried']

export type AudienceSummary = Schemas['AudienceSummary']

export type Audience = Schemas['Audience']

export interface AudienceMember extends ProfileSummary {
  since: string | null
}

export type AudienceChange = Schemas['Change']

export type StatsBy = 'channel' | 'provider' | 'country' | 'template'
export type MessageStats = { key: string } & Partial<Record<MessageState, number>>

export type Template = Schemas['Template']

export type TemplatePreview = Schemas['Preview']

export type PolicyRow = Schemas['PolicyRow']

export type Policies = Schemas['Policies']

export type Verdict = Schemas['Verdict'] & { verdict: 'send' | 'hold' | 'suppress' }

export type ConsentEntry = Schemas['ConsentEntry']

export type Source = Schemas['Source']

export type DeadLetter = Schemas['DeadLetter']

export type Channel = Schemas['AccountHealth']

/** Whether something was taken, and the reason when not. */
export type TestResult = Schemas['TestResult']

export interface Taken {
  accepted: boolean
  code: string | null
  reason?: string | null
}
