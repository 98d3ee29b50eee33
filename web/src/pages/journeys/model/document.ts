// A journey's text as a document: which steps there are, where they stand, and which ways lead on from each.
// Follows the server's reading (`next` left out is the following step, `end` in a branch is the branch's end),
// but never refuses: what it cannot read it leaves out, and the server's findings say why.

import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'

export const END = 'end'

/** Step kinds in the order in which they are offered; the last five are known by name only. */
export const KINDS = [
  'send',
  'wait',
  'branch',
  'split',
  'set',
  'emit',
  'subscribe',
  'journey',
  'parallel',
  'goto',
  'end',
] as const
const LATER = ['open_case', 'update_case', 'ask', 'decide', 'call'] as const
export type StepKind = (typeof KINDS)[number] | (typeof LATER)[number] | 'unknown'

/** A list of steps: the main one, or a branch of a `parallel`. */
export interface Scope {
  list: YAMLSeq
  /** The `parallel` step it belongs to. */
  parent: string | null
}

export interface Step {
  id: string
  kind: StepKind
  node: YAMLMap
  /** What stands behind the kind, as plain data. */
  content: unknown
  title: string | null
  scope: Scope
  /** Its place in the list of its scope. */
  index: number
  /** From 1. */
  line: number
  ways: Way[]
  /** The step behind it in its list, else where the list ends. */
  following: string
}

/** One way on from a step. */
export interface Way {
  /** What has to happen: `matched`, `sent`, an arm's name, a condition; null when nothing has to. */
  outcome: string | null
  /** Where `outcome` comes from, which decides how it is changed and said. */
  kind: 'next' | 'outcome' | 'when' | 'otherwise' | 'goto' | 'branch'
  /** A step's id, `end`, or the `parallel` whose branch ends here. */
  to: string
  /** Which arm or branch, where they are counted. */
  index: number
  /** Nothing is written: it goes to the following step by itself. */
  implied: boolean
}

export interface Definition {
  doc: Document
  steps: Step[]
  byId: Map<string, Step>
  /** The first thing that could not be read as YAML, from 1. */
  broken: { message: string; line: number } | null
}

export function readDefinition(text: string): Definition {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines })
  const error = doc.errors[0]
  const broken = error
    ? { message: error.message.split('\n')[0] ?? '', line: lines.linePos(error.pos[0]).line }
    : isMap(doc.contents)
      ? null
      : { message: 'not a map', line: 1 }
  const definition: Definition = { doc, steps: [], byId: new Map(), broken }
  const list = isMap(doc.contents) ? doc.contents.get('steps', true) : null
  if (isSeq(list)) addList(definition, { list, parent: null }, lines)
  for (const step of definition.steps) step.ways = waysOf(step, definition)
  return definition
}

function addList(definition: Definition, scope: Scope, lines: LineCounter) {
  const here: Step[] = []
  scope.list.items.forEach((node, index) => {
    if (!isMap(node)) return
    const kind = ([...KINDS, ...LATER].find((each) => node.has(each)) ?? 'unknown') as StepKind
    const id = textOf(node, 'id') ?? `step ${index + 1}`
    const content = kind === 'unknown' ? null : plain(node.get(kind, true))
    const line = lines.linePos(node.range?.[0] ?? 0).line
    const step: Step = {
      id,
      kind,
      node,
      content,
      title: textOf(node, 'title'),
      scope,
      index,
      line,
      ways: [],
      following: scope.parent ?? END,
    }
    const before = here.at(-1)
    if (before) before.following = id
    here.push(step)
    definition.steps.push(step)
    if (!definition.byId.has(id)) definition.byId.set(id, step)
    for (const branch of branchesOf(step)) addList(definition, { list: branch, parent: id }, lines)
  })
}

export function branchesOf(step: Step): YAMLSeq[] {
  const parallel = step.kind === 'parallel' ? step.node.get('parallel', true) : null
  const branches = isMap(parallel) ? parallel.get('branches', true) : null
  return isSeq(branches) ? branches.items.filter(isSeq) : []
}

/** What may happen at a step whose `next` tells outcomes apart; null when there is one way on. */
export function outcomesOf(step: Step): string[] | null {
  const content = mapOf(step.content)
  switch (step.kind) {
    case 'send':
      return ['sent', 'suppressed', 'failed']
    case 'wait':
      if (!('event' in content) && !('audience' in content)) return null
      return 'timeout' in content ? ['matched', 'timeout'] : ['matched']
    case 'split': {
      const arms = armsOf(content.arms).map((arm) => arm.name)
      return content.holdout ? [...arms, 'holdout'] : arms
    }
    default:
      return null
  }
}

export function armsOf(arms: unknown): { name: string; weight: number }[] {
  if (Array.isArray(arms)) {
    return arms.map((arm) => ({ name: String(mapOf(arm).name ?? ''), weight: Number(mapOf(arm).weight ?? 0) }))
  }
  return Object.entries(mapOf(arms)).map(([name, weight]) => ({ name, weight: Number(weight) }))
}

function waysOf(step: Step, definition: Definition): Way[] {
  // Inside a branch `end` is the branch's end.
  const target = (name: unknown) =>
    typeof name === 'string' && name !== END && name !== '' ? name : name === END ? (step.scope.parent ?? END) : null
  const way = (kind: Way['kind'], outcome: string | null, to: unknown, index = 0, otherwise = step.following): Way => {
    const found = target(to)
    return { kind, outcome, to: found ?? otherwise, index, implied: found === null }
  }
  const content = step.content
  switch (step.kind) {
    case 'end':
      return [{ kind: 'next', outcome: null, to: step.scope.parent ?? END, index: 0, implied: true }]
    case 'open_case':
    case 'update_case':
    case 'ask':
    case 'decide':
    case 'call':
    case 'unknown':
      return [way('next', null, plain(step.node.get('next', true)))]
    case 'goto':
      return [way('goto', 'to', mapOf(content).to), way('goto', 'exceeded', mapOf(content).exceeded)]
    case 'branch': {
      const arms = Array.isArray(content) ? content.map(mapOf) : []
      const ways = arms.flatMap((arm, index) =>
        'otherwise' in arm ? [] : [way('when', String(arm.when ?? ''), arm.to, index)],
      )
      const last = arms.find((arm) => 'otherwise' in arm)
      return [...ways, way('otherwise', 'otherwise', last?.otherwise, arms.length)]
    }
    case 'parallel': {
      const ways = branchesOf(step).map((branch, index) => {
        const first = definition.steps.find((each) => each.scope.list === branch)
        return { kind: 'branch', outcome: null, to: first?.id ?? step.id, index, implied: true } as const
      })
      return [...ways, way('next', 'joined', plain(step.node.get('next', true)), ways.length)]
    }
    default:
  }
  const next = plain(step.node.get('next', true))
  const outcomes = outcomesOf(step)
  if (!outcomes) return [way('next', null, next)]
  const written = mapOf(next)
  return outcomes.map((outcome, index) => {
    const to = typeof next === 'string' ? next : written[outcome]
    // Those kept out of an experiment leave, unless it is said where they go.
    const otherwise = outcome === 'holdout' ? (step.scope.parent ?? END) : step.following
    return way('outcome', outcome, to, index, otherwise)
  })
}

export const mapOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

/** A node of the document as plain data. */
export function plain(node: unknown): unknown {
  if (isScalar(node)) return node.value
  if (isMap(node) || isSeq(node)) return node.toJSON()
  return node ?? null
}

export function textOf(map: YAMLMap, key: string): string | null {
  const value = map.get(key)
  return value === undefined || value === null || typeof value === 'object' ? null : String(value)
}
