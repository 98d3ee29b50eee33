// The picture and the tone of each step kind.
import {
  CircleHelp,
  CircleStop,
  Clock,
  GitBranch,
  GitFork,
  Hand,
  type LucideIcon,
  Mail,
  MailCheck,
  Megaphone,
  MessageCircleQuestion,
  Play,
  Route,
  Rows3,
  Split,
  Tag,
  Ticket,
  Undo2,
  Webhook,
} from 'lucide-react'
import { mapOf } from '../model/document.ts'
import type { Box } from '../model/graph.ts'

const ICONS: Record<Box['kind'], LucideIcon> = {
  entry: Play,
  send: Mail,
  wait: Clock,
  branch: GitBranch,
  split: Split,
  set: Tag,
  emit: Megaphone,
  subscribe: MailCheck,
  journey: Route,
  parallel: GitFork,
  goto: Undo2,
  end: CircleStop,
  stop: CircleStop,
  join: Rows3,
  open_case: Ticket,
  update_case: Ticket,
  ask: MessageCircleQuestion,
  decide: CircleHelp,
  call: Webhook,
  unknown: CircleHelp,
}

export function iconOf(kind: Box['kind'], content?: unknown): LucideIcon {
  const wait = kind === 'wait' ? mapOf(content) : {}
  return 'event' in wait || 'audience' in wait ? Hand : ICONS[kind]
}

export function toneOf(kind: Box['kind']): 'talk' | 'pause' | 'choose' | 'note' | 'start' | 'stop' {
  if (kind === 'entry') return 'start'
  if (kind === 'send' || kind === 'ask' || kind === 'call') return 'talk'
  if (kind === 'wait') return 'pause'
  if (kind === 'branch' || kind === 'split' || kind === 'parallel' || kind === 'decide') return 'choose'
  if (kind === 'end' || kind === 'stop' || kind === 'goto' || kind === 'unknown') return 'stop'
  return 'note'
}
