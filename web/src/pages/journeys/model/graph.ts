// The drawing of a definition: boxes and arrows, with the server's live numbers laid over them by step.
// Ways between the same two boxes are one arrow that names them all; every end is a box of its own, so that
// no arrow has to cross the whole picture to get there.

import type { Journey } from '../../../api/definitions.ts'
import {
  type Definition,
  END,
  mapOf,
  outcomesOf,
  plain,
  type Step,
  type StepKind,
  textOf,
  type Way,
} from './document.ts'

export const ENTRY = '@entry'

export interface Box {
  id: string
  kind: StepKind | 'entry' | 'stop' | 'join'
  /** Of a step. */
  step: Step | null
}

export interface Arrow {
  id: string
  from: string
  to: string
  /** What it stands for, in the order of the text; of the entry none. */
  ways: Way[]
}

export interface Drawing {
  boxes: Box[]
  arrows: Arrow[]
}

export function draw(definition: Definition): Drawing {
  const boxes: Box[] = [{ id: ENTRY, kind: 'entry', step: null }]
  const arrows = new Map<string, Arrow>()
  const seen = new Set<string>([ENTRY])
  const box = (id: string, kind: Box['kind'], step: Step | null) => {
    if (!seen.has(id)) boxes.push({ id, kind, step })
    seen.add(id)
    return id
  }
  const arrow = (from: string, to: string, way: Way | null) => {
    const id = `${from}→${to}`
    const known = arrows.get(id)
    if (known) {
      if (way) known.ways.push(way)
    } else {
      arrows.set(id, { id, from, to, ways: way ? [way] : [] })
    }
  }
  // Where a way leads on the picture; null when the text names a step that does not exist.
  const goal = (from: string, step: Step, to: string) => {
    if (to === END) return box(`@stop:${from}`, 'stop', null)
    if (to === step.scope.parent) return `@join:${to}`
    return definition.byId.has(to) ? to : null
  }
  const first = definition.steps[0]
  for (const step of definition.steps) {
    if (definition.byId.get(step.id) !== step) continue
    box(step.id, step.kind, step)
    if (step === first) arrow(ENTRY, step.id, null)
    const join = `@join:${step.id}`
    if (step.kind === 'parallel') box(join, 'join', step)
    if (step.kind === 'end') continue
    for (const way of step.ways) {
      const from = way.kind === 'next' && step.kind === 'parallel' ? join : step.id
      const to = way.kind === 'branch' && way.to === step.id ? join : goal(from, step, way.to)
      if (to) arrow(from, to, way)
    }
  }
  return { boxes, arrows: [...arrows.values()] }
}

/** Numbers of a box. */
export interface Flow {
  waiting: number
  passed: number
  /** Went from here out of the journey, by an exit, the goal or a move. */
  left: number
}

/** The live numbers, by the ids of the drawing. */
export interface Numbers {
  boxes: Map<string, Flow>
  /** Of each arrow: how many took it in all, and by each way's outcome. */
  arrows: Map<string, { count: number; share: number; byOutcome: Map<string, number> }>
}

/** Lays the server's numbers over a drawing. Steps that only one of them knows have none. */
export function numbersFor(drawing: Drawing, journey: Pick<Journey, 'graph'> | undefined): Numbers {
  const numbers: Numbers = { boxes: new Map(), arrows: new Map() }
  if (!journey) return numbers
  const kinds = new Map(journey.graph.nodes.map((node) => [node.id, node.kind]))
  const steps = new Set(drawing.boxes.filter((box) => box.step && box.kind !== 'join').map((box) => box.id))
  for (const node of journey.graph.nodes) {
    const id = node.kind === 'entry' ? ENTRY : node.id
    if (id === ENTRY || steps.has(id)) {
      numbers.boxes.set(id, { waiting: node.waiting, passed: node.passed, left: node.left })
    }
  }
  const nameOf = (server: string) =>
    steps.has(server)
      ? server
      : kinds.get(server) === 'entry'
        ? ENTRY
        : kinds.get(server) === 'end' || server === END
          ? END
          : server
  const plainId = (id: string) => id.replace(/^@join:/, '')
  const targetOf = (id: string) => (id.startsWith('@stop:') ? END : plainId(id))
  const out = new Map<string, number>()
  for (const edge of journey.graph.edges) {
    const from = nameOf(edge.from)
    out.set(from, (out.get(from) ?? 0) + edge.count)
  }
  for (const arrow of drawing.arrows) {
    const from = plainId(arrow.from)
    const edges = journey.graph.edges.filter(
      (edge) => nameOf(edge.from) === from && nameOf(edge.to) === targetOf(arrow.to),
    )
    if (edges.length === 0) continue
    const count = edges.reduce((sum, edge) => sum + edge.count, 0)
    const total = out.get(from) ?? 0
    const byOutcome = new Map<string, number>()
    for (const edge of edges) byOutcome.set(edge.label, (byOutcome.get(edge.label) ?? 0) + edge.count)
    numbers.arrows.set(arrow.id, { count, share: total > 0 ? count / total : 0, byOutcome })
  }
  return numbers
}

/** The way of somebody through the drawing. */
export interface Walk {
  /** The boxes in the order in which they were reached, without the entry. */
  path: string[]
  arrows: Set<string>
}

/** Boxes that one passes without a decision of which there is a record. */
const isSilent = (box: Box | undefined): boolean =>
  box?.kind === 'join' || (box?.kind === 'wait' && box.step !== null && outcomesOf(box.step) === null)

/** The way of somebody who decided at these steps, with the waits and joins that lie between them. */
export function walk(drawing: Drawing, decided: readonly string[]): Walk {
  const boxes = new Map(drawing.boxes.map((box) => [box.id, box]))
  const taken: Walk = { path: [], arrows: new Set() }
  let at: string = ENTRY
  for (const next of decided) {
    if (next === ENTRY) continue
    const way = shortest(drawing, at, next, (id) => isSilent(boxes.get(id)))
    for (const arrow of way ?? []) {
      taken.arrows.add(arrow.id)
      taken.path.push(arrow.to)
    }
    if (!way) taken.path.push(next)
    at = next
  }
  return taken
}

function shortest(drawing: Drawing, from: string, to: string, through: (id: string) => boolean): Arrow[] | null {
  const open: Arrow[][] = [[]]
  const seen = new Set<string>()
  for (let way = open.shift(); way; way = open.shift()) {
    const at = way.at(-1)?.to ?? from
    for (const arrow of drawing.arrows) {
      if (arrow.from !== at) continue
      if (arrow.to === to) return [...way, arrow]
      if (through(arrow.to) && !seen.has(arrow.to)) {
        seen.add(arrow.to)
        open.push([...way, arrow])
      }
    }
  }
  return null
}

/** How many scenarios come by a step, and how many of them came out as they should. */
export interface Coverage {
  passed: number
  failed: number
}

export function covered(drawing: Drawing, ran: readonly { path: readonly string[]; passed: boolean }[]) {
  const coverage = new Map<string, Coverage>()
  for (const box of drawing.boxes) if (box.step && box.kind !== 'join') coverage.set(box.id, { passed: 0, failed: 0 })
  for (const { path, passed } of ran) {
    for (const id of new Set(path)) {
      const at = coverage.get(id)
      if (at) at[passed ? 'passed' : 'failed']++
    }
  }
  return coverage
}

export type Difference = 'added' | 'removed' | 'changed'

/** What became of each step from one version to the next: by id, each only on the side that has it. */
export function differences(before: Definition, after: Definition): Map<string, Difference> {
  const text = (step: Step) => JSON.stringify(step.node.toJSON()) + step.ways.map((way) => way.to).join()
  const found = new Map<string, Difference>()
  for (const [id, step] of before.byId) {
    const other = after.byId.get(id)
    if (!other) found.set(id, 'removed')
    else if (text(step) !== text(other)) found.set(id, 'changed')
  }
  for (const id of after.byId.keys()) if (!before.byId.has(id)) found.set(id, 'added')
  const head = (definition: Definition) => JSON.stringify(entryOf(definition))
  if (head(before) !== head(after)) found.set(ENTRY, 'changed')
  return found
}

export interface EntryFacts {
  entries: Record<string, unknown>[]
  reentry: unknown
  key: string | null
  exits: Record<string, unknown>[]
  goal: Record<string, unknown> | null
  title: string | null
  purpose: string | null
}

/** What stands around the steps. */
export function entryOf(definition: Definition): EntryFacts {
  const root = definition.doc.contents as never as Parameters<typeof textOf>[0] | null
  const get = (key: string) => plain(definition.doc.get(key, true))
  const list = (value: unknown) => (Array.isArray(value) ? value : value === null ? [] : [value]).map(mapOf)
  const entries = list(get('entry'))
  const goal = get('goal')
  return {
    entries,
    reentry: get('reentry') ?? entries.map((entry) => entry.reentry).find((rule) => rule !== undefined) ?? null,
    key: root ? textOf(root, 'key') : null,
    exits: list(get('exit')),
    goal: goal === null ? null : mapOf(goal),
    title: root ? textOf(root, 'title') : null,
    purpose: root ? textOf(root, 'purpose') : null,
  }
}
