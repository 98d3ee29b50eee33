// Texts that somebody is working on: kept while the console is open, also when he looks at another page.
import { useSyncExternalStore } from 'react'

export interface Draft {
  file: string
  text: string
  /** What was published when the work began; null for a new file. */
  base: string | null
  past: readonly string[]
  future: readonly string[]
  /** When the last change was made, in milliseconds. */
  at: number
}

const TOGETHER_MS = 900
const PAST_MAX = 200

let drafts: ReadonlyMap<string, Draft> = new Map()
const listeners = new Set<() => void>()

function set(name: string, draft: Draft | null) {
  const changed = new Map(drafts)
  if (draft) changed.set(name, draft)
  else changed.delete(name)
  drafts = changed
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

export const useDrafts = () => useSyncExternalStore(subscribe, () => drafts)
export const useDraft = (name: string): Draft | undefined => useDrafts().get(name)

export function beginDraft(name: string, file: string, text: string, base: string | null) {
  set(name, { file, text, base, past: [], future: [], at: 0 })
}

/** A new text. What is typed without a pause is one change; what the canvas does is one each. */
export function writeDraft(name: string, text: string, typed: boolean, now = Date.now()) {
  const draft = drafts.get(name)
  if (!draft || draft.text === text) return
  const together = typed && now - draft.at < TOGETHER_MS && draft.past.length > 0
  const past = together ? draft.past : [...draft.past, draft.text].slice(-PAST_MAX)
  set(name, { ...draft, text, past, future: [], at: typed ? now : 0 })
}

export function undoDraft(name: string) {
  const draft = drafts.get(name)
  const before = draft?.past.at(-1)
  if (!draft || before === undefined) return
  set(name, { ...draft, text: before, past: draft.past.slice(0, -1), future: [draft.text, ...draft.future], at: 0 })
}

export function redoDraft(name: string) {
  const draft = drafts.get(name)
  const next = draft?.future[0]
  if (!draft || next === undefined) return
  set(name, { ...draft, text: next, past: [...draft.past, draft.text], future: draft.future.slice(1), at: 0 })
}

export const dropDraft = (name: string) => set(name, null)

/** The published text changed meanwhile: the work goes on upon it. */
export function rebaseDraft(name: string, base: string | null) {
  const draft = drafts.get(name)
  if (draft) set(name, { ...draft, base })
}

export const isChanged = (draft: Draft | undefined): boolean => draft !== undefined && draft.text !== draft.base

if (typeof window !== 'undefined') {
  window.addEventListener('beforeunload', (event) => {
    if ([...drafts.values()].some(isChanged)) event.preventDefault()
  })
}
