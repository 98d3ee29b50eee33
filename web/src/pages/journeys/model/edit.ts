// What can be done on the canvas, as changes of the text. Each keeps comments, order and everything it is not about,
// and keeps the other ways as they are: a step that went on by itself says so where that would now mean another.

import { type Document, isMap, isScalar, isSeq, type Node, YAMLMap, type YAMLSeq } from 'yaml'
import {
  branchesOf,
  type Definition,
  END,
  mapOf,
  outcomesOf,
  plain,
  readDefinition,
  type Step,
  type StepKind,
  type Way,
} from './document.ts'
import { ENTRY } from './graph.ts'
import { change } from './patch.ts'

/** What else the workspace has, so that a new step begins with something real. */
export interface Surroundings {
  templates: readonly string[]
  channels: readonly string[]
  journeys: readonly string[]
}

type Path = (string | number)[]

/** Works on the document and what was read from it together. */
function edit(text: string, make: (doc: Document, definition: Definition) => void): string {
  return change(text, (doc) => make(doc, readInto(doc)))
}

/** The steps of a document that is about to be changed. */
function readInto(doc: Document): Definition {
  // Reads the same text again and points every step at the node of `doc` that stands in the same place.
  const definition = readDefinition(doc.toString())
  const lists = new Map<YAMLSeq, YAMLSeq>()
  const main = doc.get('steps', true)
  const first = definition.steps[0]
  if (first && isSeq(main)) lists.set(first.scope.list, main)
  for (const step of definition.steps) {
    const list = lists.get(step.scope.list)
    const node = list?.items[step.index]
    if (!list || !isMap(node)) continue
    const read = branchesOf(step)
    step.node = node
    branchesOf(step).forEach((branch, at) => {
      const other = read[at]
      if (other) lists.set(other, branch)
    })
  }
  for (const step of definition.steps) {
    const list = lists.get(step.scope.list)
    if (list) step.scope = { ...step.scope, list }
  }
  return definition
}

/** Sets what stands at a place within a step; undefined or an empty text takes it out. */
export function setField(text: string, id: string, path: Path, value: unknown): string {
  return edit(text, (doc, { byId }) => {
    const step = byId.get(id)
    if (!step) return
    const before = outcomesOf(step)
    setAt(doc, step.node, path, value)
    fitOutcomes({ ...step, content: plain(step.node.get(step.kind, true)) }, before)
  })
}

/** `next` tells apart what can happen; when that changes, it names what can happen now. */
function fitOutcomes(step: Step, before: string[] | null) {
  const next = step.node.get('next', true)
  const now = outcomesOf(step)
  if (!isMap(next) || before === null || before.join() === now?.join()) return
  if (now === null) {
    const first = plain(next.get(before[0] ?? '', true))
    if (typeof first === 'string') step.node.set('next', first)
    else step.node.delete('next')
    return
  }
  before.forEach((name, at) => {
    if (now.includes(name) || !next.has(name)) return
    const target = next.get(name, true)
    next.delete(name)
    const renamed = now[at]
    if (now.length === before.length && renamed && !next.has(renamed)) next.set(renamed, target)
  })
  if (next.items.length === 0) step.node.delete('next')
}

/** Sets what stands around the steps: title, entry, goal. */
export function setHead(text: string, path: Path, value: unknown): string {
  return change(text, (doc) => {
    if (isMap(doc.contents)) setAt(doc, doc.contents, path, value)
  })
}

function setAt(doc: Document, node: YAMLMap, path: Path, value: unknown) {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) {
    node.deleteIn(path)
    return
  }
  const old = node.getIn(path, true)
  if (isScalar(old) && !isCollection(value)) {
    // Keeps the comment behind it; quotes only as the new value needs them.
    if (typeof old.value !== typeof value) old.type = undefined
    old.value = value
    return
  }
  const fresh = createNode(doc, value)
  keepLook(old, fresh)
  node.setIn(path, fresh)
}

const isCollection = (value: unknown) => typeof value === 'object' && value !== null

/** Small collections stand in one line, as people write them here. */
function createNode(doc: Document, value: unknown): Node {
  const node = doc.createNode(value) as Node
  if (isMap(node) || isSeq(node)) node.flow = true
  return node
}

function keepLook(old: unknown, fresh: Node) {
  if ((isMap(old) || isSeq(old)) && (isMap(fresh) || isSeq(fresh))) {
    fresh.flow = old.flow ?? false
    fresh.comment = old.comment
    fresh.commentBefore = old.commentBefore
    if (fresh.flow) return
    for (const item of fresh.items) if (isMap(item) || isSeq(item)) item.flow = true
  }
}

/** Gives a step another name, also wherever it is named. */
export function rename(text: string, id: string, name: string): string {
  if (name === '' || name === id) return text
  return edit(text, (_, definition) => {
    const step = definition.byId.get(id)
    if (!step || definition.byId.has(name)) return
    for (const other of definition.steps) {
      for (const way of other.ways) if (!way.implied && way.to === id) write(other, way, name)
    }
    step.node.set('id', name)
  })
}

/** Lets ways of a step lead somewhere else. */
export function rewire(text: string, id: string, ways: readonly Way[], to: string): string {
  return edit(text, (_, definition) => {
    const step = definition.byId.get(id)
    if (!step) return
    for (const way of ways) write(step, way, to)
  })
}

/** A new step of a kind on the ways between two boxes. Returns the text and the new step's name. */
export function insert(
  text: string,
  from: string,
  ways: readonly Way[],
  kind: StepKind,
  around: Surroundings,
): { text: string; id: string } {
  let id = ''
  const changed = edit(text, (doc, definition) => {
    const before = from === ENTRY ? null : definition.byId.get(from)
    const list = before?.scope.list ?? listOf(doc, definition)
    if (!list) return
    id = freeName(definition, kind)
    const at = before ? before.index + 1 : 0
    const branch = ways.find((way) => way.kind === 'branch')
    if (before?.kind === 'parallel' && branch) {
      // Into a branch, before its first step.
      branchesOf(before)[branch.index]?.items.unshift(newStep(doc, id, kind, around, definition))
      return
    }
    const target = from === ENTRY ? (definition.steps[0]?.id ?? END) : (ways[0]?.to ?? before?.following ?? END)
    const following = before ? before.following : (definition.steps[0]?.id ?? END)
    const step = newStep(doc, id, kind, around, definition)
    if (target !== following && kind !== 'end' && kind !== 'goto' && kind !== 'branch') {
      step.set('next', spoken(target, before ?? null))
    }
    // What went on to the following step by itself would now come to the new one.
    if (before) {
      for (const way of before.ways) {
        const chosen = ways.some((each) => sameWay(each, way))
        if (!chosen && way.implied && way.kind !== 'branch' && way.outcome !== 'holdout') {
          write(before, way, spoken(way.to, before))
        }
      }
      for (const way of ways) write(before, way, id)
      tidy(before, id)
    }
    list.items.splice(at, 0, step)
  })
  return { text: changed, id }
}

/** Takes a step out; who came to it goes on to where it led first. */
export function removeStep(text: string, id: string): string {
  return edit(text, (_, definition) => {
    const step = definition.byId.get(id)
    if (!step) return
    const straight = step.ways.find((way) => way.kind !== 'branch')
    const target = straight && straight.to !== id ? straight.to : step.following
    for (const other of definition.steps) {
      if (other === step) continue
      for (const way of other.ways) {
        if (way.to !== id || way.kind === 'branch') continue
        if (way.implied && target === step.following) continue
        write(other, way, spoken(target, other))
      }
    }
    step.scope.list.items.splice(step.index, 1)
  })
}

/** A target as it is written: the end of a branch is `end` there. */
const spoken = (target: string, from: Step | null) => (target === from?.scope.parent ? END : target)

const sameWay = (one: Way, other: Way) =>
  one.kind === other.kind && one.index === other.index && one.outcome === other.outcome

/** Writes where one way of a step leads. */
function write(step: Step, way: Way, to: string) {
  const { node } = step
  switch (way.kind) {
    case 'branch':
      return
    case 'next':
      node.set('next', to)
      return
    case 'goto':
      node.setIn(['goto', way.outcome ?? 'to'], to)
      return
    case 'when':
      node.setIn(['branch', way.index, 'to'], to)
      return
    case 'otherwise': {
      const arms = node.get('branch', true)
      if (!isSeq(arms)) return
      const last = arms.items.find((arm) => isMap(arm) && arm.has('otherwise'))
      if (isMap(last)) last.set('otherwise', to)
      else arms.add(flowMap({ otherwise: to }, node))
      return
    }
    case 'outcome':
      writeOutcome(step, way, to)
  }
}

function writeOutcome(step: Step, way: Way, to: string) {
  const { node } = step
  const next = node.get('next', true)
  const outcomes = outcomesOf(step) ?? []
  if (outcomes.length === 1 && !isMap(next)) {
    node.set('next', to)
    return
  }
  if (isMap(next)) {
    next.set(way.outcome, to)
    return
  }
  const all = isScalar(next) ? Object.fromEntries(outcomes.map((outcome) => [outcome, String(next.value)])) : {}
  node.set('next', flowMap({ ...all, [way.outcome ?? '']: to }, node))
}

/** Where all outcomes lead to the step behind, nothing needs to be written. */
function tidy(step: Step, following: string) {
  const next = step.node.get('next', true)
  if (plain(next) === following) step.node.delete('next')
  if (!isMap(next)) return
  for (const item of [...next.items]) {
    const key = String(plain(item.key))
    const commented = isScalar(item.value) && item.value.comment
    if (plain(item.value) === following && key !== 'holdout' && !commented) next.delete(key)
  }
  if (next.items.length === 0) step.node.delete('next')
}

function flowMap(value: Record<string, string>, like: YAMLMap): YAMLMap {
  const map = new YAMLMap(like.schema)
  for (const [key, to] of Object.entries(value)) map.set(key, to)
  map.flow = true
  return map
}

function listOf(doc: Document, definition: Definition): YAMLSeq | null {
  const list = doc.get('steps', true)
  if (isSeq(list)) return list
  if (definition.steps.length > 0 || !isMap(doc.contents)) return null
  doc.set('steps', doc.createNode([]))
  const fresh = doc.get('steps', true)
  return isSeq(fresh) ? fresh : null
}

function freeName(definition: Definition, kind: StepKind): string {
  const base = kind === 'end' ? 'stop' : kind
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}_${number}`
    if (!definition.byId.has(name)) return name
  }
}

/** A step that the server takes as it stands. */
function newStep(doc: Document, id: string, kind: StepKind, around: Surroundings, definition: Definition): YAMLMap {
  const first = definition.steps[0]?.id ?? END
  const purpose = mapOf(doc.toJSON()).purpose ?? 'service'
  const content: Partial<Record<StepKind, unknown>> = {
    send: { template: around.templates[0] ?? 'hello', channels: [around.channels[0] ?? 'email'] },
    wait: { for: '1d' },
    branch: [{ when: 'profile.country == "DE"', to: END }],
    split: { arms: { a: 50, b: 50 } },
    set: { noticed: '"yes"' },
    emit: { event: 'Something Noticed' },
    subscribe: { purpose },
    journey: around.journeys[0] ?? 'welcome',
    parallel: {
      branches: [
        [{ id: freeName(definition, 'wait'), wait: { for: '1d' } }],
        [{ id: `${freeName(definition, 'wait')}_b`, wait: { for: '2d' } }],
      ],
    },
    goto: { to: first, max: 3 },
    end: null,
  }
  const node = doc.createNode({ id, [kind]: content[kind] ?? null }) as YAMLMap
  const inner = node.get(kind, true)
  if (kind === 'parallel') {
    const branches = node.getIn([kind, 'branches'], true)
    if (isSeq(branches)) {
      for (const branch of branches.items) {
        if (isSeq(branch)) for (const step of branch.items) if (isMap(step)) step.flow = true
      }
    }
  } else if (kind === 'branch') {
    if (isSeq(inner)) for (const arm of inner.items) if (isMap(arm)) arm.flow = true
  } else if (isMap(inner) || isSeq(inner)) {
    inner.flow = true
  }
  return node
}
