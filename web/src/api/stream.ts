// What the server says by itself: one connection for the whole console, opened again with growing pauses.
// Outside React: a store with a snapshot, so that a page that does not look does not render.

import { useSyncExternalStore } from 'react'
import type { ChainItem, Overview } from './types'

export type Connection = 'connecting' | 'live' | 'waiting'

export interface Live {
  connection: Connection
  overview: Overview | null
  /** Newest first. */
  decisions: ChainItem[]
}

export const DECISIONS_KEPT = 60
/** Eyes follow no more, and thousands a second may come. */
const SHOWN_EVERY_MS = 1_000
const PAUSE_MS_MIN = 1_000
const PAUSE_MS_MAX = 30_000

/** How long to wait before the n-th try in a row, from 0; with chance between half and whole. */
export function pauseBefore(attempt: number, chance: number): number {
  const whole = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(attempt, 10))
  return Math.round(whole * (0.5 + chance / 2))
}

let live: Live = { connection: 'connecting', overview: null, decisions: [] }
const listeners = new Set<() => void>()
const publishedListeners = new Set<() => void>()
let source: EventSource | null = null
let timer: ReturnType<typeof setTimeout> | undefined
let attempt = 0
/** As they came: of thousands a second only the newest are read. */
let fresh: string[] = []
let showing: ReturnType<typeof setTimeout> | undefined

function set(change: Partial<Live>) {
  live = { ...live, ...change }
  for (const listener of listeners) listener()
}

function showFresh() {
  showing = undefined
  const read: ChainItem[] = fresh.map((text) => JSON.parse(text))
  set({ decisions: [...read, ...live.decisions].slice(0, DECISIONS_KEPT) })
  fresh = []
}

function open() {
  const stream = new EventSource('/api/v1/stream')
  source = stream
  stream.onopen = () => {
    attempt = 0
    set({ connection: 'live' })
  }
  stream.addEventListener('overview', (event) => set({ connection: 'live', overview: JSON.parse(event.data) }))
  stream.addEventListener('decision', (event) => {
    fresh.unshift(event.data)
    if (fresh.length > DECISIONS_KEPT) fresh.pop()
    if (showing === undefined) showing = setTimeout(showFresh, SHOWN_EVERY_MS)
  })
  stream.addEventListener('published', () => {
    for (const listener of publishedListeners) listener()
  })
  stream.onerror = () => {
    stream.close()
    source = null
    set({ connection: 'waiting' })
    clearTimeout(timer)
    timer = setTimeout(open, pauseBefore(attempt++, Math.random()))
  }
}

/** Opens the stream while the page can be seen; returns what ends it. */
export function startStream(onPublished: () => void): () => void {
  publishedListeners.add(onPublished)
  const follow = () => {
    if (document.visibilityState === 'visible') {
      if (!source) {
        clearTimeout(timer)
        open()
      }
    } else {
      clearTimeout(timer)
      source?.close()
      source = null
    }
  }
  follow()
  document.addEventListener('visibilitychange', follow)
  return () => {
    publishedListeners.delete(onPublished)
    document.removeEventListener('visibilitychange', follow)
    clearTimeout(timer)
    source?.close()
    source = null
  }
}

/** One part of what is live; renders again only when that part changed. */
export function useLive<T>(part: (live: Live) => T): T {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => part(live),
  )
}
